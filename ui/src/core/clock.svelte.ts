/** The minute hand: anything that shows "4 min ago" reads it and is drawn again once a minute. */
class Clock {
  now = $state(Date.now());

  start(): () => void {
    const timer = setInterval(() => (this.now = Date.now()), 30_000);
    return () => clearInterval(timer);
  }
}
export const clock = new Clock();
