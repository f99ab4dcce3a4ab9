package dev.gyre.server;

import dev.gyre.server.options.ServerOptions;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Gives tests a service with the usual settings, the same for all of them; whoever has filled its queue waits until it is empty. */
final class SharedService implements ParameterResolver {
    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(SharedService.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext test) {
        return parameter.getParameter().getType() == Running.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext test) {
        // The store closes it when all tests are done.
        return test.getRoot()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent("service", key -> new Running(ServerOptions.DEFAULT), Running.class);
    }
}
