/** What a server measures of itself, for Prometheus. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ServiceEvent } from '../service/index.ts';

const fromMillisecond = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export class Metrics {
  readonly #registry = new Registry();
  readonly #models = new Set<string>();

  readonly #requests = new Histogram({
    name: 'lincir_request_seconds',
    help: 'Time of requests, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: fromMillisecond,
    registers: [this.#registry],
  });
  readonly #running = new Gauge({
    name: 'lincir_requests_running',
    help: 'Requests that are being answered.',
    registers: [this.#registry],
  });
  readonly #refused = new Counter({
    name: 'lincir_requests_refused_total',
    help: 'Requests that were not answered, by why: limits of the server; a full queue, a late answer, a client that has gone.',
    labelNames: ['reason'],
    registers: [this.#registry],
  });
  readonly #stages = new Histogram({
    name: 'lincir_stage_seconds',
    help: 'Time of the stages of queries.',
    labelNames: ['stage'],
    buckets: fromMillisecond,
    registers: [this.#registry],
  });
  readonly #queue = new Gauge({
    name: 'lincir_queue_length',
    help: 'What waits for a model, by kind of input.',
    labelNames: ['lane'],
    registers: [this.#registry],
  });
  readonly #batches = new Histogram({
    name: 'lincir_batch_size',
    help: 'Inputs that a model encoded in one run.',
    labelNames: ['lane'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128],
    registers: [this.#registry],
  });
  readonly #runs = new Histogram({
    name: 'lincir_batch_seconds',
    help: "Time of a model's runs.",
    labelNames: ['lane'],
    buckets: fromMillisecond,
    registers: [this.#registry],
  });
  readonly #loaded = new Gauge({
    name: 'lincir_models_loaded',
    help: 'Models in memory.',
    registers: [this.#registry],
  });
  readonly #changes = new Gauge({
    name: 'lincir_index_changes',
    help: 'Grows whenever the images of an index have changed.',
    labelNames: ['index'],
    registers: [this.#registry],
  });

  /** Measures the process, too: memory, time, the event loop's delay. Once in a process. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  began(): void {
    this.#running.inc();
  }

  answered(method: string, route: string, status: number, milliseconds: number): void {
    this.#running.dec();
    this.#requests.observe({ method, route, status }, milliseconds / 1000);
  }

  refused(reason: 'limit' | 'full' | 'late' | 'gone'): void {
    this.#refused.inc({ reason });
  }

  /** Takes what the service tells. */
  take(event: ServiceEvent): void {
    const { kind } = event;
    if (kind === 'queue') this.#queue.set({ lane: event.lane }, event.waiting);
    else if (kind === 'stage') this.#stages.observe({ stage: event.stage }, event.milliseconds / 1000);
    else if (kind === 'dropped') this.refused(event.reason);
    else if (kind === 'index') this.#changes.set({ index: event.index }, event.changes);
    else if (kind === 'batch') {
      this.#batches.observe({ lane: event.lane }, event.size);
      this.#runs.observe({ lane: event.lane }, event.milliseconds / 1000);
    } else if (kind === 'model') {
      this.#models[event.loaded ? 'add' : 'delete'](event.model);
      this.#loaded.set(this.#models.size);
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
