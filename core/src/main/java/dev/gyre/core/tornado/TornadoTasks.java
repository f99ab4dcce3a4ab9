package dev.gyre.core.tornado;

import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.*;

/** Hands a kernel to a task graph: the method reference itself, since TornadoVM looks for the method in it. */
final class TornadoTasks {
    private TornadoTasks() {}

    // The types were checked when the step was made.
    @SuppressWarnings({"unchecked", "rawtypes"})
    static void add(TaskGraph graph, String id, Object kernel, Object... a) {
        switch (a.length) {
            case 3 -> graph.task(id, (Task3) kernel, a[0], a[1], a[2]);
            case 4 -> graph.task(id, (Task4) kernel, a[0], a[1], a[2], a[3]);
            case 5 -> graph.task(id, (Task5) kernel, a[0], a[1], a[2], a[3], a[4]);
            case 6 -> graph.task(id, (Task6) kernel, a[0], a[1], a[2], a[3], a[4], a[5]);
            case 7 -> graph.task(id, (Task7) kernel, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
            case 8 -> graph.task(id, (Task8) kernel, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
            case 9 -> graph.task(id, (Task9) kernel, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
            case 10 -> graph.task(id, (Task10) kernel, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
            case 11 ->
                graph.task(id, (Task11) kernel, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10]);
            case 12 ->
                graph.task(
                        id, (Task12) kernel, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
            case 13 ->
                graph.task(
                        id,
                        (Task13) kernel,
                        a[0],
                        a[1],
                        a[2],
                        a[3],
                        a[4],
                        a[5],
                        a[6],
                        a[7],
                        a[8],
                        a[9],
                        a[10],
                        a[11],
                        a[12]);
            case 14 ->
                graph.task(
                        id,
                        (Task14) kernel,
                        a[0],
                        a[1],
                        a[2],
                        a[3],
                        a[4],
                        a[5],
                        a[6],
                        a[7],
                        a[8],
                        a[9],
                        a[10],
                        a[11],
                        a[12],
                        a[13]);
            case 15 ->
                graph.task(
                        id,
                        (Task15) kernel,
                        a[0],
                        a[1],
                        a[2],
                        a[3],
                        a[4],
                        a[5],
                        a[6],
                        a[7],
                        a[8],
                        a[9],
                        a[10],
                        a[11],
                        a[12],
                        a[13],
                        a[14]);
            case 16 ->
                graph.task(
                        id,
                        (Task16) kernel,
                        a[0],
                        a[1],
                        a[2],
                        a[3],
                        a[4],
                        a[5],
                        a[6],
                        a[7],
                        a[8],
                        a[9],
                        a[10],
                        a[11],
                        a[12],
                        a[13],
                        a[14],
                        a[15]);
            case 17 ->
                graph.task(
                        id,
                        (Task17) kernel,
                        a[0],
                        a[1],
                        a[2],
                        a[3],
                        a[4],
                        a[5],
                        a[6],
                        a[7],
                        a[8],
                        a[9],
                        a[10],
                        a[11],
                        a[12],
                        a[13],
                        a[14],
                        a[15],
                        a[16]);
            case 18 ->
                graph.task(
                        id,
                        (Task18) kernel,
                        a[0],
                        a[1],
                        a[2],
                        a[3],
                        a[4],
                        a[5],
                        a[6],
                        a[7],
                        a[8],
                        a[9],
                        a[10],
                        a[11],
                        a[12],
                        a[13],
                        a[14],
                        a[15],
                        a[16],
                        a[17]);
            case 19 ->
                graph.task(
                        id,
                        (Task19) kernel,
                        a[0],
                        a[1],
                        a[2],
                        a[3],
                        a[4],
                        a[5],
                        a[6],
                        a[7],
                        a[8],
                        a[9],
                        a[10],
                        a[11],
                        a[12],
                        a[13],
                        a[14],
                        a[15],
                        a[16],
                        a[17],
                        a[18]);
            case 20 ->
                graph.task(
                        id,
                        (Task20) kernel,
                        a[0],
                        a[1],
                        a[2],
                        a[3],
                        a[4],
                        a[5],
                        a[6],
                        a[7],
                        a[8],
                        a[9],
                        a[10],
                        a[11],
                        a[12],
                        a[13],
                        a[14],
                        a[15],
                        a[16],
                        a[17],
                        a[18],
                        a[19]);
            default -> throw new IllegalStateException("a task has 3 to 20 arguments, got " + a.length);
        }
    }
}
