package dev.gyre.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** PyTorch and diffusers in a Python process of their own, asked by lines ({@code peer.py}). */
final class PythonPeer implements Peer {
    private final Process process;
    private final Path script;
    private final BufferedReader answers;
    private final Writer questions;
    private final String name;

    /** @throws IOException when Python or PyTorch does not start */
    PythonPeer(String python, int threads) throws IOException {
        script = Files.createTempFile("peer", ".py");
        try (InputStream in = PythonPeer.class.getResourceAsStream("peer.py")) {
            Files.copy(in, script, StandardCopyOption.REPLACE_EXISTING);
        }
        process = new ProcessBuilder(python, script.toString(), String.valueOf(threads))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        answers = process.inputReader();
        questions = process.outputWriter();
        String ready = answers.readLine();
        if (ready == null || !ready.startsWith("ready ")) {
            close();
            throw new IOException(python + ": no PyTorch there (peer.py did not start)");
        }
        name = ready.substring("ready ".length());
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public double seconds(String work, String dtype) {
        try {
            questions.write(work + " " + dtype + "\n");
            questions.flush();
            String answer = answers.readLine();
            if (answer == null) throw new IOException("the Python peer has gone");
            if (answer.startsWith("seconds ")) return Double.parseDouble(answer.substring("seconds ".length()));
            throw new UnsupportedOperationException(answer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            Files.deleteIfExists(script);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
