package dev.gyre.diffusion;

import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.SafeTensorsException;
import dev.gyre.jsafetensors.StoredType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** What happens to files, by a seed: the same number of a file is damaged the same way each time. */
public final class Damage {
    private static final List<String> VALUES = List.of(
            "", " ", "0", "-1", "3", "1e999", "NaN", "many", "2147483648", "9223372036854775808", "{}", "[null");

    private Damage() {}

    /** Cut off, bits turned, bytes written over, put in or taken out, somewhere in the beginning or anywhere. */
    static byte[] bytes(byte[] file, Random random) {
        byte[] damaged = file.clone();
        int within = random.nextBoolean() ? file.length : Math.min(file.length, 4096);
        for (int times = 1 + random.nextInt(4); times > 0 && damaged.length > 0; times--) {
            int at = random.nextInt(Math.min(within, damaged.length));
            switch (random.nextInt(6)) {
                case 0 -> damaged = Arrays.copyOf(damaged, at);
                case 1, 2 -> damaged[at] ^= (byte) (1 << random.nextInt(8));
                case 3 -> {
                    for (int i = at; i < Math.min(damaged.length, at + 16); i++) damaged[i] = (byte) random.nextInt();
                }
                case 4 -> Arrays.fill(damaged, at, Math.min(damaged.length, at + 64), (byte) (random.nextInt(3) - 1));
                default -> damaged = spliced(damaged, at, random);
            }
        }
        return damaged;
    }

    /** A piece of the file in place of another. */
    private static byte[] spliced(byte[] file, int at, Random random) {
        int from = random.nextInt(file.length), count = Math.min(random.nextInt(64), file.length - from);
        int skipped = Math.min(random.nextInt(64), file.length - at);
        byte[] all = new byte[file.length - skipped + count];
        System.arraycopy(file, 0, all, 0, at);
        System.arraycopy(file, from, all, at, count);
        System.arraycopy(file, at + skipped, all, at + count, file.length - at - skipped);
        return all;
    }

    /** Text with a number, a word or a sign of it become another. */
    public static String text(String text, Random random) {
        String damaged = text;
        for (int times = 1 + random.nextInt(3); times > 0 && !damaged.isEmpty(); times--) {
            int at = random.nextInt(damaged.length()), end = at;
            while (end < damaged.length() && Character.isLetterOrDigit(damaged.charAt(end))) end++;
            int to = random.nextBoolean() ? Math.max(end, at + 1) : Math.min(damaged.length(), at + random.nextInt(40));
            String put =
                    switch (random.nextInt(3)) {
                        case 0 -> VALUES.get(random.nextInt(VALUES.size()));
                        case 1 -> "";
                        default -> String.valueOf(",:\"[]{}\\\n\u0000\u00e9".charAt(random.nextInt(11)));
                    };
            damaged = damaged.substring(0, at) + put + damaged.substring(to);
        }
        return damaged;
    }

    /** A file of a kind, damaged; a safetensors file every other time in a way that leaves it well-formed. */
    static void write(byte[] file, Random random, Path to) throws IOException {
        String name = to.getFileName().toString();
        Files.deleteIfExists(to);
        if (name.endsWith(".json")) {
            String text = new String(file, StandardCharsets.UTF_8);
            Files.writeString(to, text(text, random));
        } else if (name.endsWith(".safetensors") && random.nextBoolean()) rehead(file, random, to);
        else Files.write(to, bytes(file, random));
    }

    /** Tensors renamed, reshaped, retyped, emptied, left out; numbers that are none; metadata that says something else. */
    private static void rehead(byte[] file, Random random, Path to) throws IOException {
        Map<String, Variants.Data> all = new LinkedHashMap<>();
        Map<String, String> metadata;
        try (SafeTensors source = SafeTensors.of(MemorySegment.ofArray(file), "whole")) {
            metadata = new LinkedHashMap<>(source.metadata());
            for (String key : source.names()) all.put(key, Variants.data(source, key));
        }
        for (int times = 1 + random.nextInt(3); times > 0; times--) {
            if (!metadata.isEmpty() && random.nextInt(5) == 0) {
                String key = any(metadata, random);
                if (random.nextInt(4) == 0) metadata.remove(key);
                else metadata.put(key, VALUES.get(random.nextInt(VALUES.size())));
            }
            if (all.isEmpty()) break;
            String key = any(all, random);
            Variants.Data data = all.get(key);
            switch (random.nextInt(8)) {
                case 0 -> all.remove(key);
                case 1, 2 -> all.put(renamed(key, random), all.remove(key));
                default -> all.put(key, other(data, random));
            }
        }
        try {
            Variants.write(to, all, metadata);
        } catch (SafeTensorsException | IllegalArgumentException e) {
            Files.write(to, bytes(file, random)); // what no file can hold
        }
    }

    private static String any(Map<String, ?> all, Random random) {
        return new ArrayList<>(all.keySet()).get(random.nextInt(all.size()));
    }

    private static String renamed(String key, Random random) {
        String[] parts = key.split("\\.");
        int i = random.nextInt(parts.length);
        parts[i] = switch (random.nextInt(3)) {
            case 0 -> String.valueOf(random.nextInt(70));
            case 1 -> VALUES.get(random.nextInt(VALUES.size()));
            default -> parts[random.nextInt(parts.length)];
        };
        return String.join(".", parts);
    }

    private static Variants.Data other(Variants.Data data, Random random) {
        long[] shape = data.shape().clone();
        int rank = shape.length, i = rank == 0 ? 0 : random.nextInt(rank);
        StoredType dtype = data.dtype();
        switch (random.nextInt(rank == 0 ? 3 : 8)) {
            case 0 -> dtype = List.of(StoredType.values()).get(random.nextInt(StoredType.values().length));
            case 1 -> {
                byte[] bytes = data.bytes().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
                for (int k = random.nextInt(2); k < bytes.length; k += 2) bytes[k] = -1;
                return new Variants.Data(dtype, shape, MemorySegment.ofArray(bytes));
            }
            case 2 -> {
                shape = Arrays.copyOf(shape, rank + 1);
                shape[rank] = 1;
            }
            case 3 -> shape = new long[] {Arrays.stream(shape).reduce(1, (a, b) -> a * b)};
            case 4 -> {
                shape[i] = 0;
                shape[random.nextInt(rank)] = random.nextBoolean() ? 1L << 40 : 0;
                shape[i] = 0;
            }
            case 5 -> shape[i] += random.nextInt(5) - 2;
            case 6 -> shape[i] = 1 + random.nextInt(100);
            default -> {
                long first = shape[0];
                shape[0] = shape[i];
                shape[i] = first;
            }
        }
        return sized(dtype, shape, data.bytes());
    }

    /** As much of the bytes as the shape takes, and zeros. */
    private static Variants.Data sized(StoredType dtype, long[] shape, MemorySegment bytes) {
        long elements = 1;
        for (long dim : shape) elements *= Math.max(0, dim);
        long size = Math.clamp((elements * dtype.bits() + 7) / 8, 0, 1L << 22);
        byte[] all = new byte[(int) size];
        MemorySegment.copy(bytes, 0, MemorySegment.ofArray(all), 0, Math.min(size, bytes.byteSize()));
        return new Variants.Data(dtype, shape, MemorySegment.ofArray(all));
    }
}
