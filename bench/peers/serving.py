"""What the peers share: a long-lived process that measures once per line "run", so that a bench can take turns.

It prints "ready" after warming up; then each line "run" on its input is answered by one line of JSON, whose
`seconds` is the mean of one pass over the inputs; "exit" or the input's end ends it.
"""

import json
import sys
import time

import torch


def parse_arguments(parser, arguments=None):
    """Adds the options that every peer has, and sets the threads."""
    parser.add_argument('--repeat', type=int, default=1, help='passes over the inputs in one "run"')
    parser.add_argument('--threads', type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    return options


def serve(work, items, options, warm_up=2):
    """Measures `work()`, which handles `items` inputs and returns a dict that is added to each answer."""
    for _ in range(warm_up):
        work()
    print('ready', flush=True)
    for line in sys.stdin:
        command = line.strip()
        if command == 'exit':
            break
        if command != 'run':
            sys.exit(f'expected "run" or "exit", found {command!r}')
        start = time.perf_counter()
        for _ in range(options.repeat):
            outcome = work()
        seconds = (time.perf_counter() - start) / options.repeat
        answer = {'seconds': seconds, 'items': items, 'items_per_second': items / seconds}
        print(json.dumps({**answer, **outcome, **environment()}), flush=True)


def environment():
    return {
        'torch': torch.__version__,
        'threads': torch.get_num_threads(),
        'mkl': torch.backends.mkl.is_available(),
        'onednn': torch.backends.mkldnn.is_available(),
        'cpu_capability': torch.backends.cpu.get_cpu_capability(),
    }
