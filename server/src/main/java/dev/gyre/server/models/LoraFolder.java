package dev.gyre.server.models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** LoRAs by the names of their files. A name is looked up in the folder's listing, so it cannot lead elsewhere. */
public record LoraFolder(Optional<Path> folder) {
    private static final String ENDING = ".safetensors";

    public List<String> names() throws IOException {
        if (folder.isEmpty()) return List.of();
        if (!Files.isDirectory(folder.get())) throw new IOException(folder.get() + ": there is no such folder");
        try (Stream<Path> files = Files.list(folder.get())) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(ENDING))
                    .map(name -> name.substring(0, name.length() - ENDING.length()))
                    .sorted()
                    .toList();
        }
    }

    public Optional<Path> find(String name) throws IOException {
        return names().contains(name) ? folder.map(f -> f.resolve(name + ENDING)) : Optional.empty();
    }
}
