// The parts that need no model.
import assert from "node:assert/strict";
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from "node:fs";
import os from "node:os";
import path from "node:path";
import {test} from "node:test";
import {SlotPool} from "../../engine/lib/slots.mjs";
import {StopMatcher} from "../../engine/lib/stop.mjs";
import {TextStream, Vocabulary} from "../../engine/lib/vocabulary.mjs";
import {chooseThreads, usableCores} from "../../engine/lib/threads.mjs";

const stays = () => new AbortController().signal;

/** Stands in for a sequence that holds `held`. */
function sequence(...held) {
    return {
        compareContextTokens(tokens) {
            const at = held.findIndex((token, i) => token !== tokens[i]);
            return {firstDifferentIndex: at < 0 ? held.length : at};
        }
    };
}

test("the slot with the longest common prefix is chosen", () => {
    const [a, b, c] = [sequence(1, 2), sequence(1, 2, 3), sequence(9)];
    assert.equal(new SlotPool([a, b, c]).acquire([1, 2, 3, 4], stays()), b);
});

test("without a common prefix the least recently used slot is chosen", () => {
    const [a, b] = [sequence(1), sequence(2)];
    const pool = new SlotPool([a, b]);
    pool.release(pool.acquire([5], stays()));
    assert.equal(pool.acquire([5], stays()), b);
});

test("requests wait first come, first served", async () => {
    const pool = new SlotPool([sequence()]);
    const held = pool.acquire([], stays());
    const order = [];
    const waiting = ["first", "second"].map(async (name) => {
        pool.release(await pool.acquire([], stays()), order.push(name));
    });
    pool.release(held);
    await Promise.all(waiting);
    assert.deepEqual(order, ["first", "second"]);
});

test("the 513th waiting request is turned away", () => {
    const pool = new SlotPool([sequence()]);
    pool.acquire([], stays());
    for (let i = 0; i < 512; i++) pool.acquire([], stays());
    assert.throws(() => pool.acquire([], stays()), {code: 503, type: "unavailable_error"});
});

test("a stop string is found across pieces and nothing of it is shown", () => {
    const stop = new StopMatcher(["END", "\n\n"]);
    assert.equal(stop.push("one E"), "one ");
    assert.equal(stop.push("N"), "");
    assert.equal(stop.push("Dx"), "");
    assert.equal(stop.stopped, true);
});

test("what only looked like a stop string is shown as soon as that is clear", () => {
    const stop = new StopMatcher(["END"]);
    assert.equal(stop.push("EN"), "");
    assert.equal(stop.push("EN"), "EN");
    assert.equal(stop.push("!"), "EN!");
    assert.equal(stop.flush(), "");
});

/** A vocabulary of the sentencepiece kind: a word, a control token, the bytes of one character. */
function sentencePieces() {
    const tokens = ["\u2581word", "</s>", "<0xE4>", "<0xBD>", "<0xA0>", "ends\u2581here"];
    const ggml = {tokens, token_type: [1, 3, 6, 6, 6, 1], model: "llama"};
    return new Vocabulary({
        fileInfo: {metadata: {tokenizer: {ggml}}}, tokens: {eos: 1, eot: null}, isEogToken: (token) => token === 1
    });
}

test("sentencepiece tokens become text, with the control ones hidden from answers", () => {
    const vocabulary = sentencePieces();
    assert.equal(vocabulary.text([0, 2, 3, 4, 5, 1]), " word\u4f60ends here</s>");
    assert.deepEqual([...vocabulary.ends], [1]);
    assert.equal(new TextStream(vocabulary).push(1), "");
});

test("a text stream holds back half a character and nothing else", () => {
    const stream = new TextStream(sentencePieces());
    assert.deepEqual([0, 2, 3, 4, 5].map((token) => stream.push(token)), [" word", "", "", "\u4f60", "ends here"]);
});

/** A machine with four cores of two threads each, of which CPUs 0 to 5 are allowed. */
function fakeMachine(files = {}) {
    const root = mkdtempSync(path.join(os.tmpdir(), "assay-cores-"));
    const all = {"proc/self/status": "Name:\tx\nCpus_allowed_list:\t0-5\n", ...files};
    for (let cpu = 0; cpu < 8; cpu++)
        all[`sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`] = `${cpu % 4},${cpu % 4 + 4}\n`;
    for (const [name, text] of Object.entries(all)) {
        mkdirSync(path.dirname(path.join(root, name)), {recursive: true});
        writeFileSync(path.join(root, name), text);
    }
    return root;
}

for (const [name, files, cores] of [
    ["physical cores are counted, not their threads", {}, 4],
    ["only allowed cores are counted", {"proc/self/status": "Cpus_allowed_list:\t1,5\n"}, 1],
    ["a CPU quota bounds them", {"sys/fs/cgroup/cpu.max": "250000 100000\n"}, 3],
    ["no quota is no bound", {"sys/fs/cgroup/cpu.max": "max 100000\n"}, 4]
])
    test(name, () => {
        const root = fakeMachine(files);
        assert.equal(usableCores(root), cores);
        rmSync(root, {recursive: true});
    });

test("a toy model gets one thread, a real one the cores, and a number given stands", () => {
    assert.equal(chooseThreads(0, 1e6), 1);
    assert.equal(chooseThreads(0, 1e9), usableCores());
    assert.equal(chooseThreads(3, 1e6), 3);
});
