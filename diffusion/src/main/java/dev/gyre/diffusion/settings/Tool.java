package dev.gyre.diffusion.settings;

/** Other tools that have names for settings. */
public enum Tool {
    /** AUTOMATIC1111's web UI, in the text that it writes into pictures. */
    INFOTEXT("AUTOMATIC1111's PNG text"),
    /** AUTOMATIC1111's web UI, in the JSON of its API. */
    WEBUI("AUTOMATIC1111's API"),
    /** Hugging Face's diffusers: parameters of its pipelines. */
    DIFFUSERS("diffusers"),
    /** stable-diffusion.cpp: options of its command line. */
    SDCPP("stable-diffusion.cpp");

    private final String title;

    Tool(String title) {
        this.title = title;
    }

    /** What the tool is called. */
    public String title() {
        return title;
    }
}
