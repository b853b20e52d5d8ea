/** What queries of clip-retrieval's protocol took, as its summary of metrics tells it. */

interface Total {
  calls: number;
  milliseconds: number;
}

export class KnnSummary {
  readonly #all: Total = { calls: 0, milliseconds: 0 };
  readonly #stages = new Map<string, Total>();

  /** Counts a query, and the milliseconds of its stages. */
  add(milliseconds: number, stages: Readonly<Record<string, number>>): void {
    count(this.#all, milliseconds);
    for (const [stage, time] of Object.entries(stages)) {
      const total = this.#stages.get(stage) ?? { calls: 0, milliseconds: 0 };
      this.#stages.set(stage, total);
      count(total, time);
    }
  }

  text(): string {
    const { calls } = this.#all;
    if (calls === 0) return 'No request yet, go do some';
    const average = averageOf(this.#all);
    const rows = [...this.#stages]
      .sort(([, a], [, b]) => averageOf(b) - averageOf(a))
      .map(([stage, total]) => [
        stage,
        `${total.calls}`,
        seconds(averageOf(total)),
        `${((100 * averageOf(total)) / average).toFixed(1)}%`,
      ]);
    const table = [['name', 'calls', 'average', 'proportion'], ...rows];
    const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
    const lines = table.map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join('  '));
    return [
      `Among ${calls} calls to the knn end point with an average latency of ${seconds(average)} per request, the step costs are (in order): `,
      '',
      ...lines,
    ].join('\n');
  }
}

function count(total: Total, milliseconds: number): void {
  total.calls += 1;
  total.milliseconds += milliseconds;
}

function averageOf({ calls, milliseconds }: Total): number {
  return milliseconds / calls;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(4)}s`;
}
