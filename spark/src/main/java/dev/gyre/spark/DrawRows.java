package dev.gyre.spark;

import java.io.IOException;
import java.util.Iterator;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;

/** What a task does: numbers of rows become rows. */
record DrawRows(Broadcast<Work> work) implements FlatMapFunction<Iterator<Long>, Row> {
    @Override
    public Iterator<Row> call(Iterator<Long> numbers) throws IOException {
        TaskContext task = TaskContext.get();
        SharedModel model = SharedModel.acquire(work.value().model(), task.cpus());
        DrawnRows rows = new DrawnRows(task, work.value(), model, numbers);
        task.addTaskCompletionListener(rows);
        return rows;
    }
}
