package dev.gyre.jsafetensors;

import static dev.gyre.jsafetensors.SafeTensorsException.quote;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.TreeMap;

/**
 * An open safetensors file, or several that a shard index names. Files are mapped: opening reads the header alone, a tensor's data
 * is a slice of the mapping, and files may be larger than 2 GiB or than memory. Immutable and safe to share between threads;
 * {@link #close()} ends every slice that was given out.
 */
public final class SafeTensors implements AutoCloseable {
    private static final String INDEX = ".safetensors.index.json";

    /** What virtual machines commonly allow. */
    private static final int LONGEST_ARRAY = Integer.MAX_VALUE - 8;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** @param file what errors call the file that holds it */
    private record Entry(TensorInfo info, MemorySegment data, String file) {}

    private final String origin;
    private final Path path;
    private final Arena arena;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private long size;

    /** Path and arena are null where the bytes are somebody else's. */
    private SafeTensors(String origin, Path path, Arena arena) {
        this.origin = origin;
        this.path = path;
        this.arena = arena;
    }

    /**
     * Opens a {@code .safetensors} file, or the shards that a {@code .safetensors.index.json} names beside it. Files must not
     * shrink while they are open.
     *
     * @throws SafeTensorsException when a file is not what the format says
     * @throws IOException when a file cannot be read
     */
    public static SafeTensors open(Path path) throws IOException {
        SafeTensors opened = new SafeTensors(path.toString(), path, Arena.ofShared());
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
     * Reads a file that lies in memory; nothing is copied, and closing leaves the memory to its owner.
     *
     * @param origin what errors call it
     */
    public static SafeTensors of(MemorySegment file, String origin) throws SafeTensorsException {
        SafeTensors opened = new SafeTensors(origin, null, null);
        opened.add(file, origin);
        return opened;
    }

    /** Reads a stream of less than 2 GiB to its end into memory: for resources inside jars. The stream is left open. */
    public static SafeTensors read(InputStream stream, String origin) throws IOException {
        return of(MemorySegment.ofArray(stream.readAllBytes()), origin);
    }

    private void addFile(Path path) throws IOException {
        add(map(path, arena), path.toString());
    }

    private static MemorySegment map(Path path, Arena arena) throws IOException {
        if (Files.notExists(path)) throw new NoSuchFileException(path.toString(), null, "there is no such file");
        if (Files.isDirectory(path))
            throw new SafeTensorsException(path.toString(), "a file is expected, this is a folder");
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
    }

    private void add(MemorySegment file, String name) throws SafeTensorsException {
        Header header = Header.parse(file, name);
        for (TensorInfo info : header.tensors().values()) {
            MemorySegment data = file.asSlice(header.dataStart() + info.begin(), info.bytes())
                    .asReadOnly();
            if (entries.put(info.name(), new Entry(info, data, name)) != null)
                throw new SafeTensorsException(origin, "tensor " + quote(info.name()) + " stands in two shards");
        }
        header.metadata().forEach(metadata::putIfAbsent);
        size += file.byteSize();
    }

    private void addShards(Path index) throws IOException {
        Map<String, String> shardOf;
        try (Arena reading = Arena.ofConfined()) {
            MemorySegment bytes = map(index, reading);
            if (bytes.byteSize() > Header.MAX_LENGTH)
                throw new SafeTensorsException(
                        origin, "the index is over the limit of " + Header.MAX_LENGTH + " bytes");
            shardOf = weightMap(new Json(bytes, origin, "index"));
        }
        Map<String, String> firstOf = new TreeMap<>(); // shard to a tensor of it, which errors can name
        for (Map.Entry<String, String> entry : shardOf.entrySet()) {
            if (!plainName(entry.getValue()))
                throw new SafeTensorsException(
                        origin,
                        "the shard of tensor " + quote(entry.getKey()) + " is " + quote(entry.getValue())
                                + ", expected the plain name of a .safetensors file beside the index");
            firstOf.putIfAbsent(entry.getValue(), entry.getKey());
        }
        for (Map.Entry<String, String> shard : firstOf.entrySet()) {
            Path file = index.resolveSibling(shard.getKey());
            if (Files.notExists(file))
                throw new NoSuchFileException(
                        origin,
                        null,
                        "the shard " + quote(shard.getKey()) + " of tensor " + quote(shard.getValue()) + " is missing");
            addFile(file);
        }
        for (Map.Entry<String, String> entry : shardOf.entrySet()) {
            Entry found = entries.get(entry.getKey());
            if (found == null
                    || !found.file.equals(index.resolveSibling(entry.getValue()).toString()))
                throw new SafeTensorsException(
                        origin, "tensor " + quote(entry.getKey()) + " is not in its shard " + quote(entry.getValue()));
        }
    }

    private static Map<String, String> weightMap(Json json) throws SafeTensorsException {
        Map<String, String> shardOf = null;
        json.open('{');
        while (json.next('}')) {
            if (!json.key().equals("weight_map")) {
                json.skip();
                continue;
            }
            if (shardOf != null) throw json.fail("has \"weight_map\" twice");
            shardOf = new LinkedHashMap<>();
            json.open('{');
            while (json.next('}')) {
                String name = json.key();
                if (shardOf.put(name, json.string()) != null) throw json.fail("has tensor " + quote(name) + " twice");
            }
        }
        json.finish();
        if (shardOf == null) throw json.fail("has no object \"weight_map\"");
        return shardOf;
    }

    /** A file beside the index, and nowhere else. */
    private static boolean plainName(String file) {
        return file.endsWith(".safetensors") && file.chars().noneMatch(c -> c < ' ' || "/\\:".indexOf(c) >= 0);
    }

    /** The names of all tensors, in the order of the header. */
    public List<String> names() {
        return List.copyOf(entries.keySet());
    }

    /** Whether there is a tensor of this name. */
    public boolean has(String name) {
        return entries.containsKey(name);
    }

    /** @throws NoSuchElementException when there is no such tensor */
    public TensorInfo info(String name) {
        return entry(name).info;
    }

    /** What the file says of itself; empty when it says nothing. Where shards differ, the first by name is believed. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /**
     * The file or shard index that was opened.
     *
     * @throws IllegalStateException when the bytes came from memory
     */
    public Path path() {
        if (path == null) throw new IllegalStateException(origin + " was read from memory and has no path");
        return path;
    }

    /** The bytes of all files together, the shard index not counted. */
    public long size() {
        return size;
    }

    /**
     * A tensor's elements as they lie in the file: little-endian, row-major, of any alignment, read-only. Nothing is copied.
     *
     * @throws NoSuchElementException when there is no such tensor
     * @throws UnsupportedOperationException when its dtype is not {@link StoredType#readable()}
     * @throws IllegalStateException after {@link #close()}
     */
    public MemorySegment data(String name) {
        Entry entry = entry(name);
        if (!entry.info.dtype().readable())
            throw new UnsupportedOperationException(entry.file + ": tensor " + quote(name) + " is of type "
                    + entry.info.dtype() + "; F32, F16, BF16, I32, I64 and U8 can be read");
        if (!entry.data.scope().isAlive()) throw new IllegalStateException(entry.file + " is closed");
        return entry.data;
    }

    /**
     * A tensor's elements as floats, F16 and BF16 widened exactly.
     *
     * @throws NoSuchElementException when there is no such tensor
     * @throws UnsupportedOperationException when it is not of type F32, F16 or BF16, or has more elements than an array
     * @throws IllegalStateException after {@link #close()}
     */
    public float[] floats(String name) {
        TensorInfo info = info(name);
        MemorySegment data = data(name);
        if (info.dtype() != StoredType.F32 && info.dtype() != StoredType.F16 && info.dtype() != StoredType.BF16)
            throw new UnsupportedOperationException(
                    origin + ": tensor " + quote(name) + " is of type " + info.dtype() + ", not F32, F16 or BF16");
        if (info.elements() > LONGEST_ARRAY)
            throw new UnsupportedOperationException(origin + ": tensor " + quote(name) + " has " + info.elements()
                    + " elements, too many for an array");
        float[] values = new float[(int) info.elements()];
        switch (info.dtype()) {
            case F32 -> MemorySegment.copy(data, FLOAT, 0, values, 0, values.length);
            case F16 -> {
                for (int i = 0; i < values.length; i++) values[i] = Float.float16ToFloat(data.get(SHORT, 2L * i));
            }
            case BF16 -> {
                for (int i = 0; i < values.length; i++) values[i] = Float.intBitsToFloat(data.get(SHORT, 2L * i) << 16);
            }
            default -> throw new AssertionError(info.dtype());
        }
        return values;
    }

    private Entry entry(String name) {
        Entry entry = entries.get(name);
        if (entry == null) throw new NoSuchElementException(origin + " has no tensor " + quote(name));
        return entry;
    }

    /** Unmaps the files; a second call does nothing. */
    @Override
    public void close() {
        if (arena != null && arena.scope().isAlive()) arena.close();
    }

    @Override
    public String toString() {
        return origin + ": " + entries.size() + " tensors, " + size + " bytes";
    }
}
