// A hook for hubs: `useHub` gives components their connection, and `useHubEvent` has them hear what the server calls.

import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import { type HubConnection, HubConnectionBuilder, LogLevel } from 'hubwire';

type Handler = (...args: any[]) => void;
type Methods<T> = { [K in keyof T]: (...args: any[]) => unknown };

/** How a connection is: the id that the server knows it by while there is one, and why there is none if that is for good. */
export type HubState =
  | { status: 'connecting' }
  | { status: 'connected'; connectionId: string }
  | { status: 'reconnecting' }
  | { status: 'closed'; error?: Error };

const CONNECTING: HubState = { status: 'connecting' };

// It would rather wait than give up: a minute between all attempts but the first.
const DELAYS = [0, 1_000, 2_000, 5_000, 10_000, 30_000, ...Array<number>(60).fill(60_000)];

/** The connection of one URL, for as long as a component uses it. */
class SharedHub {
  state: HubState = CONNECTING;
  /** Outlives its connection: what is heard is the application's, not the network's. */
  #handlers = new Map<string, Set<Handler>>();
  #connection: HubConnection | undefined;
  #listeners = new Set<() => void>();
  #leaving: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly url: string) {}

  /** Connects for the first who listens, and says goodbye behind the last. */
  subscribe = (listener: () => void) => {
    clearTimeout(this.#leaving);
    this.#listeners.add(listener);
    if (!this.#connection) this.#connect();
    return () => {
      this.#listeners.delete(listener);
      // Not at once: StrictMode takes every component away and puts it back in the same turn, and it is to find its connection.
      if (!this.#listeners.size) this.#leaving = setTimeout(() => this.#leave());
    };
  };

  invoke = (method: string, ...args: unknown[]): Promise<any> =>
    this.#connection ? this.#connection.invoke(method, ...args) : Promise.reject(new Error('There is no connection.'));

  listen = (event: string, handler: Handler) => {
    let handlers = this.#handlers.get(event);
    if (!handlers) {
      this.#handlers.set(event, (handlers = new Set()));
      if (this.#connection) this.#dispatch(this.#connection, event);
    }
    handlers.add(handler);
    return () => void handlers.delete(handler);
  };

  #dispatch(connection: HubConnection, event: string) {
    connection.on(event, (...args) => this.#handlers.get(event)?.forEach((handler) => handler(...args)));
  }

  #connect() {
    const connection = new HubConnectionBuilder()
      .withUrl(this.url, { retryStart: true })
      .withAutomaticReconnect(DELAYS)
      // It would warn of each event that no component hears.
      .configureLogging(LogLevel.Error)
      .build();
    this.#connection = connection;
    // What an old one has to tell when it ends is no news of the one after it.
    const become = (state: HubState) => {
      if (this.#connection !== connection) return;
      this.state = state;
      this.#listeners.forEach((listener) => listener());
    };
    const connected = () => become({ status: 'connected', connectionId: connection.connectionId ?? '' });
    for (const event of this.#handlers.keys()) this.#dispatch(connection, event);
    connection.onreconnecting(() => become({ status: 'reconnecting' }));
    connection.onreconnected(connected);
    connection.onclose((error) => become({ status: 'closed', error }));
    this.state = CONNECTING;
    connection.start().then(connected, (error) => become({ status: 'closed', error }));
  }

  #leave() {
    const connection = this.#connection;
    this.#connection = undefined;
    this.state = CONNECTING;
    void connection?.stop();
  }
}

const hubs = new Map<string, SharedHub>();

function sharedHub(url: string): SharedHub {
  let hub = hubs.get(url);
  if (!hub) hubs.set(url, (hub = new SharedHub(url)));
  return hub;
}

/** A hub as a component has it; `Server` says what may be called there, and `Page` what it calls here. */
export interface Hub<Server, Page> {
  state: HubState;
  /** Calls a method, and gives what it returns. The same function at every rendering, so that effects can depend on it. */
  invoke<K extends keyof Server & string>(
    method: K,
    ...args: Server[K] extends (...args: infer A) => unknown ? A : never
  ): Promise<Server[K] extends (...args: never[]) => infer R ? R : never>;
  /** What `useHubEvent` needs. */
  listen<K extends keyof Page & string>(event: K, handler: Page[K]): () => void;
}

/**
 * The hub at a URL. Components that name the same URL share one connection, which is there while at least one of them is.
 * To the server whoever comes back is a stranger: let effects that join something depend on `connectionId`.
 */
export function useHub<Server extends Methods<Server>, Page extends Methods<Page>>(url: string): Hub<Server, Page> {
  const hub = sharedHub(url);
  const state = useSyncExternalStore(hub.subscribe, () => hub.state, () => CONNECTING);
  // Typed where they are used, since one object serves them all.
  return { state, invoke: hub.invoke, listen: hub.listen } as unknown as Hub<Server, Page>;
}

/** Has `handler` hear an event of the hub. It may be another function at every rendering, and always sees the latest props and state. */
export function useHubEvent<Page, K extends keyof Page & string>(
  hub: Hub<any, Page>,
  event: K,
  handler: Page[K] & Handler,
) {
  const latest = useEffectEvent(handler);
  const { listen } = hub;
  useEffect(() => listen(event, ((...args: any[]) => latest(...args)) as Page[K]), [listen, event]);
}
