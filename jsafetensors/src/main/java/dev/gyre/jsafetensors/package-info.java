/**
 * The safetensors format for any JVM program: files are read by mapping, without a copy, and written atomically.
 *
 * <p>Start at {@link dev.gyre.jsafetensors.SafeTensors#open} to read and at
 * {@link dev.gyre.jsafetensors.SafeTensorsWriter} to write. What a file claims is checked in full when it is opened,
 * so that every tensor handed out afterwards lies inside the file and has the size its shape says.
 *
 * <p>Format: <a href="https://github.com/huggingface/safetensors#format">huggingface/safetensors, README, "Format"</a>;
 * where the text is silent, the behaviour of its reference reader.
 */
package dev.gyre.jsafetensors;
