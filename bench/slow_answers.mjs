// Loaded before the bundled engine (compare_bars.py): stretches every answer in time by
// ASSAY_BENCH_SLOWER, such as 1.05. What was written t after the request is sent at that times t.
import http from "node:http";

const factor = Number(process.env.ASSAY_BENCH_SLOWER ?? 1);
const {write, end} = http.ServerResponse.prototype;
const emit = http.Server.prototype.emit;
const states = new WeakMap();

http.Server.prototype.emit = function (event, ...args) {
    if (event === "request") states.set(args[1], {began: performance.now(), last: Promise.resolve()});
    return emit.call(this, event, ...args);
};

/** Does it after what was asked for before, at the stretched time. */
function later(response, send) {
    const state = states.get(response);
    const due = state.began + factor * (performance.now() - state.began);
    state.last = state.last.then(
        () => new Promise((done) => setTimeout(done, Math.max(0, due - performance.now())))
    ).then(send);
}

http.ServerResponse.prototype.write = function (...args) {
    later(this, () => this.destroyed || write.apply(this, args));
    return true;
};
http.ServerResponse.prototype.end = function (...args) {
    later(this, () => end.apply(this, args));
    return this;
};
