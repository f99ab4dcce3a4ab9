"""The scripts that make what is committed as references and test inputs; README.md says which makes what.

Other projects' packages that are not installed are found in the folders which these environment variables name.
"""

import os
import sys

for variable in ("DIFFUSERS_SRC", "LDM_SRC", "K_DIFFUSION_SRC", "WEBUI_SRC"):
    if variable in os.environ:
        sys.path.insert(0, os.environ[variable])
