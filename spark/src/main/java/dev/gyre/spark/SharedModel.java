package dev.gyre.spark;

import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * The models of an executor. It is a JVM in which tasks come and go, and Spark gives them nothing to share but classes: hence the
 * mutable static. A model stays when its last task is done, for the next; it is closed when another one is asked for.
 */
final class SharedModel {
    private static final Map<Model, SharedModel> LOADED = new HashMap<>();

    private final StableDiffusion sd;
    private int users;

    private SharedModel(StableDiffusion sd) {
        this.sd = sd;
    }

    StableDiffusion sd() {
        return sd;
    }

    /** To be given back by {@link #release}. Whoever comes while it is loaded waits. */
    static SharedModel acquire(Model model, int threads) throws IOException {
        synchronized (LOADED) {
            SharedModel shared = LOADED.get(model);
            if (shared == null) {
                LOADED.values().removeIf(SharedModel::closed);
                shared = new SharedModel(model.load(threads));
                LOADED.put(model, shared);
            }
            shared.users++;
            return shared;
        }
    }

    void release() {
        synchronized (LOADED) {
            users--;
        }
    }

    private boolean closed() {
        if (users > 0) return false;
        sd.close();
        return true;
    }
}
