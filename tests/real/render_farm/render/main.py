import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed

from render import frames


def with_processes(context):
    ours, theirs = context.Pipe()
    process = context.Process(target=frames.report, args=(theirs, 2))
    process.start()
    print("process", ours.recv())
    process.join()
    print("exit code", process.exitcode)


def with_pool(context):
    pool = context.Pool(2, frames.initialize, (10,))
    print(pool.map(frames.frame, range(3)), list(pool.imap(frames.Scene("a").draw, [4])))
    print(
        pool.starmap(frames.Scene.area, [(2, 3)]),
        pool.apply(frames.Scene.load, ("b",)),
        pool.map(frames.Scene("c"), [5]),
    )
    pool.apply_async(frames.frame, (6,), callback=frames.received).wait()
    pool.apply_async(frames.frame, (13,), error_callback=frames.failed).wait()
    pool.close()
    pool.join()


def with_executor(context):
    with ProcessPoolExecutor(1, context, frames.initialize, (100,)) as executor:
        futures = [executor.submit(frames.frame, number) for number in (8, 13)]
        for future in as_completed(futures):
            print(repr(future.exception() or future.result()))
        print(list(executor.map(frames.double, [9])))


def with_subprocess():
    command = [sys.executable, "-c", "from render.frames import program; program()"]
    subprocess.run(command, check=True)
    subprocess.run(command, check=True, env={**os.environ, "FRAME": "11"})


def with_joblib():
    import joblib

    print(joblib.Parallel(n_jobs=2)(joblib.delayed(frames.frame)(number) for number in (21, 22)))
    print(joblib.Parallel(n_jobs=2, prefer="threads")(joblib.delayed(frames.frame)(number) for number in (23, 24)))
    print(joblib.Parallel(n_jobs=2)(joblib.delayed(lambda number: frames.frame(number))(number) for number in (25, 26)))


def main():
    how = sys.argv[1]
    if how == "subprocess":
        with_subprocess()
    elif how == "joblib":
        with_joblib()
    else:
        context = multiprocessing.get_context(how)
        for part in (with_processes, with_pool, with_executor):
            part(context)
