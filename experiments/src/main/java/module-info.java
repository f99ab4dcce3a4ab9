/** Sweeps over prompts and settings, as Arrow tables. */
module dev.gyre.experiments {
    requires transitive dev.gyre.arrow;
    requires transitive dev.gyre.diffusion;
    requires org.apache.arrow.format;
    requires com.fasterxml.jackson.databind;
    requires java.management;

    exports dev.gyre.experiments;
}
