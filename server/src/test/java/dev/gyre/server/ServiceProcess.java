package dev.gyre.server;

import dev.gyre.server.options.ServerOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A service that keeps its pictures in a folder, in a process of its own that can be killed. */
final class ServiceProcess implements AutoCloseable {
    private final HttpClient client = HttpClient.newHttpClient();
    private final Process process;
    private final URI uri;

    /** @param before a command that the service is started by */
    ServiceProcess(Path folder, List<String> before) throws IOException {
        List<String> command = new ArrayList<>(before);
        command.add(ProcessHandle.current().info().command().orElseThrow());
        // Soon there, which is all that counts here.
        command.addAll(List.of("-Xmx512m", "-XX:TieredStopAtLevel=1", "--add-modules", "jdk.incubator.vector"));
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(ServiceProcess.class.getName(), folder.toString()));
        process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String line =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)).readLine();
        if (line == null) throw new IOException("the service did not start: " + command);
        uri = URI.create(line);
    }

    /** Says where it listens. */
    public static void main(String[] arguments) throws IOException {
        ServerOptions.Pictures pictures = new ServerOptions.Pictures(
                Optional.of(Path.of(arguments[0])), ServerOptions.Pictures.DEFAULT.expiry(), 1 << 20);
        GyreServer server = new GyreServer(ServerOptions.DEFAULT.anyPort().with(pictures), Running.LOADER);
        server.start();
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(server::close));
        System.out.println(server.uri());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri.resolve(path)).timeout(Duration.ofMinutes(2));
    }

    /** Asks for pictures. */
    CompletableFuture<HttpResponse<String>> draw(String body) {
        HttpRequest request = request("/v1/images/generations")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return client.sendAsync(request, HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Its process, as others know it. */
    long pid() {
        return process.pid();
    }

    /** SIGTERM; what it ends with. */
    int stop() {
        process.destroy();
        return process.onExit().join().exitValue();
    }

    /** SIGKILL: it has no say in it. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    @Override
    public void close() {
        kill();
        client.shutdownNow();
    }
}
