package dev.gyre.cli;

import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.metadata.OpenSources;
import dev.gyre.diffusion.metadata.Sources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Finds the files that a picture was made from: at their recorded paths, beside the picture, and among the files and folders given. A file
 * is taken only if its hash matches the recorded one.
 */
final class SourceFinder implements OpenSources.Finder {
    private final Path picture;
    private final List<Path> given;

    SourceFinder(Path picture, List<Path> given) {
        this.picture = picture;
        this.given = given;
    }

    @Override
    public Path find(FileId file) throws IOException {
        if (file.equals(Sources.UNKNOWN))
            throw new IOException(picture + ": an image that it was made of lay in no file, so it cannot be drawn again"
                    + " from what it says");
        List<Path> others = new ArrayList<>();
        for (Path candidate : candidates(file)) {
            if (!Files.isRegularFile(candidate)) continue;
            if (file.is(candidate)) return candidate;
            if (!given.contains(candidate)) others.add(candidate);
        }
        throw new IOException(picture + ": it was made with the file " + file.path() + " (SHA-256 " + file.hash()
                + "…), which is not found"
                + (others.isEmpty() ? "" : ": " + others.getFirst() + " is another file")
                + "; name it, or its folder, with --with");
    }

    private Set<Path> candidates(FileId file) throws IOException {
        Set<Path> all = new LinkedHashSet<>();
        Path beside = picture.toAbsolutePath().getParent();
        for (Path one : given) if (!Files.exists(one)) throw new IOException(one + ": there is no such file or folder");
        // Files of the same name first: hashing takes time.
        given.stream().filter(one -> one.endsWith(file.name())).forEach(all::add);
        try {
            for (String name : new String[] {file.path(), file.name()}) {
                given.stream().filter(Files::isDirectory).forEach(folder -> all.add(folder.resolve(name)));
                all.add(Path.of(name));
                all.add(beside.resolve(name));
            }
        } catch (InvalidPathException e) {
            // Not a path on this system: a given file may still match.
        }
        all.addAll(given);
        return all;
    }
}
