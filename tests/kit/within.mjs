// Waiting with a bound. A test never sleeps for a guessed time: it names what it waits for and how long it may take.

/** How long anything that should happen at once may take on a machine that is busy compiling. */
export const SOON = 10_000;

/** Settles as `promise` does; fails with the name of what was waited for when that takes longer than `ms`. */
export async function within(ms, promise, what) {
  const late = new Error(`waited ${ms} ms for ${what}`);
  let timer;
  const bound = new Promise((_, reject) => {
    timer = setTimeout(reject, ms, late);
  });
  try {
    return await Promise.race([promise, bound]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks `probe` again and again until it gives something truthy, and gives that; for what sends no event, such as a count. */
export async function until(ms, what, probe) {
  const late = new Error(`waited ${ms} ms for ${what}`);
  const end = Date.now() + ms;
  for (;;) {
    const answer = await probe();
    if (answer) return answer;
    if (Date.now() > end) throw late;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
