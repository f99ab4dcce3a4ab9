package dev.gyre.server.models;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The models by name; the first is the default. */
public final class Models {
    private final Map<String, ModelFile> files = new LinkedHashMap<>();
    private final boolean strict;

    /**
     * @param paths none is the model that comes with Gyre
     * @param strict whether unknown names are refused
     * @throws IOException when one cannot be read
     * @throws IllegalArgumentException when a file is no model, or two models have one name
     */
    public Models(List<Path> paths, boolean strict) throws IOException {
        this.strict = strict;
        if (paths.isEmpty()) add(ModelFile.of(Optional.empty()));
        for (Path path : paths) add(ModelFile.of(Optional.of(path)));
    }

    private void add(ModelFile file) {
        ModelFile other = files.putIfAbsent(file.id(), file);
        if (other != null)
            throw new IllegalArgumentException("two models are called " + file.id() + ": "
                    + other.path().orElseThrow() + " and " + file.path().orElseThrow());
    }

    public List<ModelFile> all() {
        return List.copyOf(files.values());
    }

    public ModelFile standard() {
        return files.values().iterator().next();
    }

    /** The model of this name, exactly. */
    public Optional<ModelFile> find(String id) {
        return Optional.ofNullable(files.get(id));
    }

    /** The model that answers to a name: the default if the name is unknown or absent. Empty for an unknown name if names are strict. */
    public Optional<ModelFile> answering(Optional<String> name) {
        if (name.isEmpty()) return Optional.of(standard());
        Optional<ModelFile> found = find(name.get());
        return found.isPresent() || strict ? found : Optional.of(standard());
    }
}
