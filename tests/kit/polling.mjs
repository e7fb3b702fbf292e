/** How long a short poll waits before it asks again: at once after something came, slower and slower while nothing does. */
const RHYTHM = [0, 20, 50, 100];

/** How often a request that found no server is made again where nothing is lost or doubled by that. */
const RETRIES = 100;

/**
 * Hubwire's polling as a transport that the official client can be given: `withUrl(url, { transport: new PollingTransport({ … }) })`.
 * `short` polls do not wait. With `acks` a connection survives lost requests and answers, and neither loses nor doubles anything.
 */
export class PollingTransport {
  onreceive = null;
  onclose = null;
  /** How many requests were made again. */
  retried = 0;
  #short;
  #acks;

  constructor({ short = false, acks = false } = {}) {
    this.#short = short;
    this.#acks = acks;
  }

  async connect(url, transferFormat) {
    this.#url = this.#short ? `${url}&transport=shortPolling` : url;
    this.#isBinary = transferFormat === 2;
    this.#received = 0;
    this.#sent = 0;
    this.#sending = Promise.resolve();
    this.#abort = new AbortController();
    const answer = await this.#request({}, { ack: 0 });
    if (answer.status !== 200) throw new Error(`the first poll was answered ${answer.status}`);
    this.#polling = this.#poll();
  }

  #url;
  #isBinary;
  /** Answers that carried something, and POSTs, so far. */
  #received;
  #sent;
  #sending;
  #polling;
  #abort;

  async #request(init, numbers) {
    const query = this.#acks ? Object.entries(numbers).map(([name, number]) => `&${name}=${number}`) : [];
    for (let tries = 0; ; tries += 1) {
      try {
        const response = await fetch(this.#url + query.join(''), { signal: this.#abort.signal, ...init });
        return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
      } catch (error) {
        if (!this.#acks || this.#abort.signal.aborted || tries === RETRIES) throw error;
        this.retried += 1;
      }
    }
  }

  async #poll() {
    let idle = 0;
    try {
      for (;;) {
        const { status, body } = await this.#request({}, { ack: this.#received });
        if (status === 204) return this.#close();
        if (status !== 200) throw new Error(`a poll was answered ${status}`);
        idle = body.length > 0 ? 0 : Math.min(idle + 1, RHYTHM.length - 1);
        if (body.length > 0) {
          this.#received += 1;
          this.onreceive(this.#isBinary ? new Uint8Array(body).buffer : body.toString());
        }
        if (this.#short) await new Promise((resolve) => setTimeout(resolve, RHYTHM[idle]));
      }
    } catch (error) {
      this.#close(this.#abort.signal.aborted ? undefined : error);
    }
  }

  #close(error) {
    this.onclose?.(error);
    this.onclose = null;
  }

  /** One POST at a time, in order. */
  send(data) {
    const post = async () => {
      const seq = (this.#sent += 1);
      const { status } = await this.#request({ method: 'POST', body: data }, { seq });
      if (status !== 200) throw new Error(`a POST was answered ${status}`);
    };
    const sent = this.#sending.then(post);
    this.#sending = sent.catch(() => {});
    return sent;
  }

  async stop() {
    this.#abort.abort();
    await this.#polling;
    await fetch(this.#url, { method: 'DELETE' });
  }
}
