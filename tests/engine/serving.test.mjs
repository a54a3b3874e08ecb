// What a client sees of completions.
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {events, post, postJson, randomModel, scriptModel, startEngine, user} from "./engine_process.mjs";

const kChat = "/v1/chat/completions";
const kPlain = "/v1/completions";
// What src/gguf/dummy_model.h says of a model in script mode.
const kAnswer = "A river of light runs down from the mountain to our city";
const kCycle = " one two three four five six";
let engine;
let script;

before(async () => {
    engine = await startEngine("--gguf", randomModel(), "--parallel", "4", "--ctx", "512", "--alias", "toy");
    script = await startEngine("--gguf", scriptModel());
});

after(async () => {
    await engine?.stop();
    await script?.stop();
});

async function chat(fields) {
    const {status, body} = await postJson(engine.url, kChat, {max_tokens: 8, ignore_eos: true, ...fields});
    assert.equal(status, 200, JSON.stringify(body));
    return body;
}

async function stream(fields, path = kChat, url = engine.url) {
    return events(await post(url, path, {stream: true, max_tokens: 8, ignore_eos: true, ...fields}));
}

test("a chat stream opens with the role and closes with finish_reason, timings and [DONE]", async () => {
    const all = await stream({messages: user("hello there")});
    assert.equal(all.at(-1), "[DONE]");
    assert.deepEqual(all[0].choices[0].delta, {role: "assistant", content: null});
    assert.equal(all[0].choices[0].finish_reason, null);
    const last = all.at(-2);
    assert.deepEqual(last.choices, [{finish_reason: "length", index: 0, delta: {}}]);
    assert.equal(last.timings.predicted_n, 8);
    for (const chunk of all.slice(0, -1)) {
        assert.equal(chunk.object, "chat.completion.chunk");
        assert.equal(chunk.model, "toy");
        assert.equal(chunk.id, all[0].id);
        assert.equal(chunk.usage, undefined);
    }
});

test("each token of a stream is an event of its own", async () => {
    const all = await stream({messages: user("hello"), max_tokens: 40});
    assert.equal(all.slice(1, -2).length, 40);
    for (const chunk of all.slice(1, -2)) assert.ok(chunk.choices[0].delta.content.length > 0);
});

test("include_usage adds one chunk without choices", async () => {
    const all = await stream({messages: user("count me"), stream_options: {include_usage: true}});
    const {choices, usage, timings} = all.at(-2);
    assert.deepEqual(choices, []);
    assert.equal(usage.completion_tokens, 8);
    assert.equal(usage.total_tokens, usage.prompt_tokens + 8);
    assert.equal(usage.prompt_tokens, timings.prompt_n + timings.cache_n);
    assert.equal(usage.prompt_tokens_details.cached_tokens, timings.cache_n);
    assert.equal(all.at(-3).choices[0].finish_reason, "length");
});

test("timings_per_token puts timings on each piece", async () => {
    const all = await stream({messages: user("time me"), timings_per_token: true});
    assert.deepEqual(all.slice(1, -2).map((chunk) => chunk.timings.predicted_n), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("a plain completion streams text", async () => {
    const all = await stream({prompt: "the"}, kPlain);
    assert.equal(all.at(-1), "[DONE]");
    assert.equal(all.at(-2).choices[0].finish_reason, "length");
    for (const chunk of all.slice(0, -2)) {
        assert.equal(chunk.object, "text_completion");
        assert.equal(typeof chunk.choices[0].text, "string");
    }
});

test("an answer in one piece carries text, usage and timings", async () => {
    const body = await chat({messages: user("hello")});
    assert.equal(body.object, "chat.completion");
    assert.equal(body.choices[0].message.role, "assistant");
    assert.ok(body.choices[0].message.content.length > 0);
    assert.equal(body.choices[0].finish_reason, "length");
    assert.equal(body.usage.completion_tokens, 8);
    assert.equal(body.timings.predicted_n, 8);
    const plain = (await postJson(engine.url, kPlain, {prompt: "the", max_tokens: 3, ignore_eos: true})).body;
    assert.equal(plain.object, "text_completion");
    assert.equal(plain.usage.completion_tokens, 3);
});

for (const name of ["max_tokens", "max_completion_tokens", "n_predict"])
    test(`ignore_eos gives exactly ${name} tokens`, async () => {
        const body = await chat({messages: user("go on"), max_tokens: undefined, [name]: 200, temperature: 1});
        assert.equal(body.usage.completion_tokens, 200);
        assert.equal(body.choices[0].finish_reason, "length");
    });

test("a model may end its answer itself", async () => {
    const fields = {messages: user("what do you see?"), max_tokens: 40, temperature: 0};
    const {body} = await postJson(script.url, kChat, fields);
    assert.equal(body.choices[0].message.content, kAnswer);
    assert.equal(body.choices[0].finish_reason, "stop");
    assert.equal(body.usage.completion_tokens, kAnswer.split(" ").length + 1);
});

test("a repeated prompt is cached but for its last token", async () => {
    const messages = user("a prompt that no other test uses");
    const first = await chat({messages, seed: 7});
    const second = await chat({messages, seed: 7});
    assert.equal(second.usage.prompt_tokens_details.cached_tokens, second.usage.prompt_tokens - 1);
    assert.equal(second.timings.prompt_n, 1);
    assert.ok(first.timings.prompt_n > 1);
    assert.equal(second.choices[0].message.content, first.choices[0].message.content);
});

test("a longer prompt reuses the shorter one it starts with", async () => {
    const start = "one two three four five six seven eight nine ten";
    const ask = (prompt) => postJson(engine.url, kPlain, {prompt, max_tokens: 2, ignore_eos: true});
    const first = (await ask(start)).body;
    const second = (await ask(start + " eleven twelve")).body;
    assert.ok(second.timings.cache_n >= first.usage.prompt_tokens);
    assert.equal(second.timings.cache_n + second.timings.prompt_n, second.usage.prompt_tokens);
});

test("cache_prompt false starts clean", async () => {
    const messages = user("clean start");
    await chat({messages});
    const again = await chat({messages, cache_prompt: false});
    assert.equal(again.usage.prompt_tokens_details.cached_tokens, 0);
    assert.equal(again.timings.prompt_n, again.usage.prompt_tokens);
});

test("timings are consistent and fit in the time the client saw", async () => {
    const start = performance.now();
    const {timings: t} = await chat({messages: user("how long"), max_tokens: 50, cache_prompt: false});
    const wall = performance.now() - start;
    assert.ok(t.prompt_ms > 0 && t.predicted_ms > 0);
    assert.ok(t.prompt_ms + t.predicted_ms <= wall);
    assert.ok(Math.abs(t.prompt_per_second - t.prompt_n * 1000 / t.prompt_ms) < 1e-6 * t.prompt_per_second);
    assert.ok(Math.abs(t.predicted_per_token_ms - t.predicted_ms / 50) < 1e-6);
});

test("the same seed gives the same text, another seed another", async () => {
    const ask = async (seed) => (await chat({messages: user("dice"), seed, max_tokens: 30, temperature: 1}))
        .choices[0].message.content;
    const [a, b, c] = [await ask(11), await ask(11), await ask(12)];
    assert.equal(a, b);
    assert.notEqual(a, c);
});

test("text parts count as their text", async () => {
    const parts = [{type: "text", text: "first"}, {type: "text", text: "second"}];
    const asParts = await chat({messages: user(parts), temperature: 0});
    const asText = await chat({messages: user("first\nsecond"), temperature: 0});
    assert.equal(asParts.usage.prompt_tokens, asText.usage.prompt_tokens);
    assert.equal(asParts.choices[0].message.content, asText.choices[0].message.content);
});

test("text and its token numbers are the same prompt", async () => {
    const {tokens} = (await postJson(engine.url, "/tokenize", {content: "the river and the mountain"})).body;
    const ask = async (prompt) =>
        (await postJson(engine.url, kPlain, {prompt, max_tokens: 6, temperature: 0})).body.choices[0].text;
    assert.equal(await ask(tokens), await ask("the river and the mountain"));
});

test("the scripted model gives its known text at temperature 0", async () => {
    const {body} = await postJson(script.url, kPlain, {prompt: " answer", max_tokens: 6, temperature: 0});
    assert.equal(body.choices[0].text, kCycle);
    const all = await stream({prompt: " answer", max_tokens: 6, temperature: 0}, kPlain, script.url);
    assert.deepEqual(all.slice(0, -2).map((chunk) => chunk.choices[0].text),
        [" one", " two", " three", " four", " five", " six"]);
});

test("text ends before a stop string, even one that spans tokens", async () => {
    for (const stop of [" four", ["zebra", "ee fo"]]) {
        const fields = {prompt: " answer", max_tokens: 20, temperature: 0, stop};
        const {body} = await postJson(script.url, kPlain, fields);
        const expected = kCycle.slice(0, kCycle.indexOf(Array.isArray(stop) ? stop[1] : stop));
        assert.equal(body.choices[0].text, expected);
        assert.equal(body.choices[0].finish_reason, "stop");
        const all = await stream(fields, kPlain, script.url);
        assert.equal(all.slice(0, -2).map((chunk) => chunk.choices[0].text).join(""), expected);
        assert.equal(all.at(-2).choices[0].finish_reason, "stop");
    }
});

test("text held back for a stop string that never comes is shown at the end", async () => {
    const fields = {prompt: " answer", max_tokens: 6, temperature: 0, stop: "six pack"};
    const all = await stream(fields, kPlain, script.url);
    assert.equal(all.slice(0, -2).map((chunk) => chunk.choices[0].text).join(""), kCycle);
    assert.equal(all.at(-2).choices[0].finish_reason, "length");
});

test("a prompt larger than the context is refused with its size", async () => {
    const {status, body} = await postJson(engine.url, kPlain, {prompt: Array(512).fill(65), max_tokens: 1});
    assert.equal(status, 400);
    assert.equal(body.error.type, "exceed_context_size_error");
    assert.equal(body.error.n_prompt_tokens, 512);
    assert.equal(body.error.n_ctx, 512);
});

test("an answer ends where the context does", async () => {
    const {body} = await postJson(engine.url, kPlain, {prompt: Array(500).fill(65), ignore_eos: true});
    assert.equal(body.usage.total_tokens, 512);
    assert.equal(body.choices[0].finish_reason, "length");
});

test("four requests run at the same time and keep apart", async () => {
    const ask = (i) => chat({messages: user(`question ${i}`), seed: i, max_tokens: 60, temperature: 1});
    const alone = [];
    for (const i of [1, 2, 3, 4]) alone.push(await ask(i));
    const together = await Promise.all([1, 2, 3, 4].map(ask));
    together.forEach((body, i) => {
        assert.equal(body.usage.completion_tokens, 60);
        assert.equal(body.usage.prompt_tokens, alone[i].usage.prompt_tokens);
    });
});

test("more requests than slots wait their turn", async () => {
    const bodies = await Promise.all(Array.from({length: 20}, (_, i) => chat({messages: user(`wait ${i}`)})));
    for (const body of bodies) assert.equal(body.usage.completion_tokens, 8);
});
