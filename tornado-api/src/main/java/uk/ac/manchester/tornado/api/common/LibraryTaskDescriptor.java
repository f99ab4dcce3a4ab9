package uk.ac.manchester.tornado.api.common;

/** A call of a native library's function that is a task. */
public class LibraryTaskDescriptor {
    private String libraryName;
    private String functionName;
    private Object[] parameters;
    private Access[] access;

    public LibraryTaskDescriptor() {}

    public LibraryTaskDescriptor withLibrary(String libraryName) {
        this.libraryName = libraryName;
        return this;
    }

    public LibraryTaskDescriptor withFunction(String functionName) {
        this.functionName = functionName;
        return this;
    }

    public LibraryTaskDescriptor withParameters(Object[] parameters) {
        this.parameters = parameters;
        return this;
    }

    public LibraryTaskDescriptor withAccess(Access[] access) {
        this.access = access;
        return this;
    }

    public String getLibraryName() {
        return libraryName;
    }

    public String getFunctionName() {
        return functionName;
    }

    public Object[] getParameters() {
        return parameters;
    }

    public Access[] getAccess() {
        return access;
    }
}
