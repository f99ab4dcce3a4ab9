/** Sweeps on Apache Spark: tables of prompts become tables of pictures. */
package dev.gyre.spark;
