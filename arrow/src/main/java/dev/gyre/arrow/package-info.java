/**
 * Tensors to and from Apache Arrow: columns of Arrow's canonical tensor type, files and streams, safetensors, and hand-over to other
 * libraries in the same process. Arrow needs {@code --add-opens java.base/java.nio=ALL-UNNAMED} when Java is started, and
 * {@code --sun-misc-unsafe-memory-access=allow} to be quiet.
 */
package dev.gyre.arrow;
