package dev.gyre.diffusion.file;

import dev.gyre.core.DType;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.TensorInfo;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Reads files of weights of any kind: safetensors, whose tensors become Gyre's. */
public final class WeightFile {
    private static final List<String> PICKLES = List.of(".ckpt", ".pt", ".pth", ".bin", ".pkl");

    private WeightFile() {}

    /**
     * Opens a {@code .safetensors} file or the index of its shards.
     *
     * @throws IOException when it cannot be read or violates the format; a pickle is never read
     */
    public static SafeTensors open(Path path) throws IOException {
        String name = String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT);
        if (PICKLES.stream().anyMatch(name::endsWith) || Files.isRegularFile(path) && isPickle(path))
            throw new IOException(path + ": a PyTorch pickle can run code of its own and is not read; get the file as"
                    + " .safetensors, or convert it where you trust it, in Python: import torch, safetensors.torch as s;"
                    + " d = torch.load(\"" + path.getFileName()
                    + "\", map_location=\"cpu\"); d = d.get(\"state_dict\", d);"
                    + " s.save_file({k: v.contiguous() for k, v in d.items() if isinstance(v, torch.Tensor)},"
                    + " \"converted.safetensors\")");
        return SafeTensors.open(path);
    }

    /** A zip as {@code torch.save} writes it today, or a bare pickle; a safetensors file has its header's '{' in ninth place. */
    private static boolean isPickle(Path path) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            byte[] start = in.readNBytes(9);
            if (start.length < 4 || start.length == 9 && start[8] == '{') return false;
            boolean zip = start[0] == 'P' && start[1] == 'K' && start[2] == 3 && start[3] == 4;
            return zip || start[0] == (byte) 0x80 && start[1] >= 2 && start[1] <= 5;
        }
    }

    /**
     * A tensor of floats.
     *
     * @throws IllegalArgumentException when it is of another type, or has more elements than a tensor can
     */
    public static Tensor tensor(SafeTensors file, String key, List<Long> shape, String origin) {
        TensorInfo info = file.info(key);
        DType dtype =
                switch (info.dtype()) {
                    case F32 -> DType.F32;
                    case F16 -> DType.F16;
                    case BF16 -> DType.BF16;
                    default ->
                        throw new IllegalArgumentException(
                                origin + ": " + key + " is of type " + info.dtype() + ", expected F32, F16 or BF16");
                };
        int[] dims = shape.stream()
                .mapToInt(d -> (int) Math.min(d, Integer.MAX_VALUE))
                .toArray();
        try {
            return new Tensor(dtype, Shape.of(dims), file.data(key));
        } catch (IllegalArgumentException e) {
            throw named(origin + ": " + key, e);
        }
    }

    /** Likewise, in its own shape. */
    public static Tensor tensor(SafeTensors file, String key, String origin) {
        return tensor(file, key, file.info(key).shape(), origin);
    }

    /** A layer's or a tensor's error with the file's name in front, unless it has that already. */
    public static IllegalArgumentException named(String name, IllegalArgumentException e) {
        String said = String.valueOf(e.getMessage());
        return new IllegalArgumentException(said.startsWith(name + ": ") ? said : name + ": " + said, e);
    }

    /** The path's last name without its ending. */
    public static String name(Path path) {
        Path last = path.toAbsolutePath().normalize().getFileName();
        return last == null ? path.toString() : last.toString().replaceFirst("\\.safetensors(\\.index\\.json)?$", "");
    }

    /** A few of its keys, for error messages. */
    public static String some(SafeTensors file) {
        List<String> names = file.names();
        return names.isEmpty()
                ? "a file without tensors"
                : String.join(", ", names.subList(0, Math.min(3, names.size()))) + (names.size() > 3 ? ", …" : "");
    }
}
