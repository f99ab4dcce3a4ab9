package dev.gyre.jsafetensors;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeSet;

/**
 * An open safetensors file, or several that a shard index names. Files are mapped: opening reads the header alone, a tensor's data
 * is a slice of the mapping, and files may be larger than 2 GiB or than memory. Immutable and safe to share between threads;
 * {@link #close()} ends every slice that was given out.
 */
public final class SafeTensors implements AutoCloseable {
    private static final String INDEX = ".safetensors.index.json";

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private record Entry(TensorInfo info, MemorySegment data) {}

    private final String origin;
    private final Arena arena;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private long size;

    private SafeTensors(String origin, Arena arena) {
        this.origin = origin;
        this.arena = arena;
    }

    /**
     * Opens a {@code .safetensors} file, or the shards that a {@code .safetensors.index.json} names beside it.
     *
     * @throws SafeTensorsException when a file is not what the format says
     * @throws IOException when a file cannot be read
     */
    public static SafeTensors open(Path path) throws IOException {
        SafeTensors opened = new SafeTensors(path.toString(), Arena.ofShared());
        try {
            if (path.toString().endsWith(INDEX)) opened.addShards(path);
            else opened.addFile(path);
            return opened;
        } catch (IOException | RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    /**
     * Reads a file that lies in memory; nothing is copied.
     *
     * @param origin what errors call it
     */
    public static SafeTensors of(MemorySegment file, String origin) throws SafeTensorsException {
        SafeTensors opened = new SafeTensors(origin, null);
        opened.add(file, origin);
        return opened;
    }

    /** Reads a stream to its end into memory: for resources inside jars. */
    public static SafeTensors read(InputStream stream, String origin) throws IOException {
        return of(MemorySegment.ofArray(stream.readAllBytes()), origin);
    }

    private void addFile(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            add(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena), path.toString());
        }
    }

    private void add(MemorySegment file, String name) throws SafeTensorsException {
        Header header = Header.parse(file, name);
        for (TensorInfo info : header.tensors().values()) {
            MemorySegment data = file.asSlice(header.dataStart() + info.begin(), info.bytes())
                    .asReadOnly();
            if (entries.put(info.name(), new Entry(info, data)) != null)
                throw new SafeTensorsException(origin, "tensor \"" + info.name() + "\" stands in two shards");
        }
        metadata.putAll(header.metadata());
        size += file.byteSize();
    }

    private void addShards(Path index) throws IOException {
        if (Files.size(index) > Header.MAX_LENGTH)
            throw new SafeTensorsException(origin, "the index is over the limit of " + Header.MAX_LENGTH + " bytes");
        Object json;
        try {
            json = Json.parse(MemorySegment.ofArray(Files.readAllBytes(index)).asByteBuffer());
        } catch (Json.Malformed e) {
            throw new SafeTensorsException(origin, "the index is not JSON: " + e.getMessage());
        }
        if (!(json instanceof Map<?, ?> map) || !(map.get("weight_map") instanceof Map<?, ?> weightMap))
            throw new SafeTensorsException(origin, "the index has no object \"weight_map\"");
        Set<String> files = new TreeSet<>();
        for (Map.Entry<?, ?> entry : weightMap.entrySet()) {
            if (!(entry.getValue() instanceof String file) || !plainName(file))
                throw new SafeTensorsException(
                        origin, "the shard of \"" + entry.getKey() + "\" is not a file's name: " + entry.getValue());
            files.add(file);
        }
        for (String file : files) addFile(index.resolveSibling(file));
        for (Object name : weightMap.keySet())
            if (!entries.containsKey(name))
                throw new SafeTensorsException(origin, "no shard holds tensor \"" + name + "\"");
    }

    /** A file beside the index, and nowhere else. */
    private static boolean plainName(String file) {
        return file.endsWith(".safetensors") && !file.contains("/") && !file.contains("\\") && file.indexOf('\0') < 0;
    }

    /** The names of all tensors, in the order of the header. */
    public List<String> names() {
        return List.copyOf(entries.keySet());
    }

    public boolean has(String name) {
        return entries.containsKey(name);
    }

    /** @throws NoSuchElementException when there is no such tensor */
    public TensorInfo info(String name) {
        return entry(name).info;
    }

    /** What the file says of itself; empty when it says nothing. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /** The bytes of all files together. */
    public long size() {
        return size;
    }

    /**
     * A tensor's elements as they lie in the file: little-endian, row-major, of any alignment, read-only. Nothing is copied.
     *
     * @throws NoSuchElementException when there is no such tensor
     * @throws UnsupportedOperationException when its dtype is not {@link DType#readable()}
     */
    public MemorySegment data(String name) {
        Entry entry = entry(name);
        if (!entry.info.dtype().readable())
            throw new UnsupportedOperationException(origin + ": tensor \"" + name + "\" is of type "
                    + entry.info.dtype() + "; F32, F16, BF16, I32, I64 and U8 can be read");
        return entry.data;
    }

    /**
     * A tensor's elements as floats, F16 and BF16 widened exactly.
     *
     * @throws UnsupportedOperationException when it is not of type F32, F16 or BF16
     */
    public float[] floats(String name) {
        TensorInfo info = info(name);
        MemorySegment data = data(name);
        float[] values = new float[Math.toIntExact(info.elements())];
        switch (info.dtype()) {
            case F32 -> MemorySegment.copy(data, FLOAT, 0, values, 0, values.length);
            case F16 -> {
                for (int i = 0; i < values.length; i++) values[i] = Float.float16ToFloat(data.get(SHORT, 2L * i));
            }
            case BF16 -> {
                for (int i = 0; i < values.length; i++) values[i] = Float.intBitsToFloat(data.get(SHORT, 2L * i) << 16);
            }
            default ->
                throw new UnsupportedOperationException(
                        origin + ": tensor \"" + name + "\" is of type " + info.dtype() + ", not a float");
        }
        return values;
    }

    private Entry entry(String name) {
        Entry entry = entries.get(name);
        if (entry == null) throw new NoSuchElementException(origin + " has no tensor \"" + name + "\"");
        return entry;
    }

    @Override
    public void close() {
        if (arena != null && arena.scope().isAlive()) arena.close();
    }

    @Override
    public String toString() {
        return new ArrayList<>(List.of(origin, entries.size() + " tensors", size + " bytes")).toString();
    }
}
