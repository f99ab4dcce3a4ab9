package dev.gyre.spark;

import dev.gyre.diffusion.output.Progress;
import dev.gyre.experiments.JobRunner;
import dev.gyre.experiments.ResultTable;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;

/** A task's rows, drawn one by one as they are asked for. */
final class DrawnRows implements Iterator<Row>, Progress, TaskCompletionListener {
    private final TaskContext task;
    private final Work work;
    private final SharedModel model;
    private final Iterator<Long> numbers;
    private final JobRunner runner;
    private final BufferAllocator allocator = new RootAllocator();
    private VectorSchemaRoot table; // null before the first row

    /** @param model given back when the task is over */
    DrawnRows(TaskContext task, Work work, SharedModel model, Iterator<Long> numbers) {
        this.task = task;
        this.work = work;
        this.model = model;
        this.numbers = numbers;
        runner = new JobRunner(model.sd(), work.stepLatents(), this);
    }

    @Override
    public boolean hasNext() {
        return numbers.hasNext();
    }

    @Override
    public Row next() {
        if (table == null)
            table = VectorSchemaRoot.create(
                    ResultTable.schema(work.plan(), model.sd(), work.stepLatents(), Map.of()), allocator);
        try {
            ResultTable.fill(
                    table,
                    runner.run(work.plan().job(numbers.next())),
                    work.model().sha256());
        } catch (CancellationException e) {
            throw new TaskKilledException("cancelled");
        }
        return Rows.row(table);
    }

    @Override
    public boolean cancelled() {
        return task.isInterrupted();
    }

    @Override
    public void onTaskCompletion(TaskContext done) {
        if (table != null) table.close();
        allocator.close();
        model.release();
    }
}
