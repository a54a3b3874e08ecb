// Listening, routing, bodies in and JSON out. Knows nothing of models.
import {createHash, timingSafeEqual} from "node:crypto";
import http from "node:http";
import {badRequest, Problem} from "./problem.mjs";
import {log} from "./log.mjs";

const kMaxBodyBytes = 16 * 1024 * 1024;
// Long, so that a client's pooled connection is not closed under its next request.
const kKeepAliveMs = 10 * 60 * 1000;

// As in llama-server, whether it runs is no secret.
const kPublic = new Set(["/health", "/v1/health", "/models", "/v1/models"]);

/**
 * `routes` maps a path to {METHOD: async (req, res, signal) => void}; `signal` fires when the client has gone.
 * With a key, all other paths than the public ones need it as a bearer token.
 */
export function createServer(routes, key = "") {
    const server = http.createServer({noDelay: true, keepAliveTimeout: kKeepAliveMs}, (req, res) => {
        const gone = new AbortController();
        server.underWay.add(gone);
        res.on("close", () => {
            server.underWay.delete(gone);
            if (!res.writableFinished) gone.abort();
        });
        dispatch(routes, key, req, res, gone.signal).catch((error) => fail(res, error, gone.signal));
    });
    server.underWay = new Set();
    return server;
}

/** Takes no more requests and treats the clients of those under way as gone. */
export function closeServer(server) {
    server.close();
    for (const request of server.underWay) request.abort();
}

/** Resolves to the address clients use. */
export function listen(server, {host, port}) {
    return new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
            const address = server.address();
            const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
            resolve(`http://${shown}:${address.port}`);
        });
    });
}

const digest = (text) => createHash("sha256").update(text).digest();

/** Compares digests, so that the time taken says nothing of the key. */
function mayEnter(req, path, key) {
    if (key === "" || kPublic.has(path)) return true;
    return timingSafeEqual(digest(req.headers.authorization ?? ""), digest(`Bearer ${key}`));
}

async function dispatch(routes, key, req, res, signal) {
    const path = req.url.split("?", 1)[0];
    if (!mayEnter(req, path, key)) throw new Problem(401, "authentication_error", "Invalid API Key");
    const methods = routes.get(path);
    if (!methods) throw new Problem(404, "not_found_error", "File Not Found");
    const handler = methods[req.method];
    if (!handler) {
        res.setHeader("allow", Object.keys(methods).join(", "));
        throw new Problem(405, "invalid_request_error", `${req.method} is not allowed here`);
    }
    await handler(req, res, signal);
}

function fail(res, error, signal) {
    if (signal.aborted) return res.destroy();
    if (!(error instanceof Problem)) log(error.stack ?? String(error));
    const problem = error instanceof Problem ? error : new Problem(500, "server_error", error.message);
    if (res.headersSent) return res.end(event(problem));
    sendJson(res, problem, problem.code);
}

export function sendJson(res, value, status = 200) {
    const body = Buffer.from(JSON.stringify(value));
    res.writeHead(status, {"content-type": "application/json; charset=utf-8", "content-length": body.length}).end(body);
}

/** One server-sent event. */
export const event = (value) => `data: ${JSON.stringify(value)}\n\n`;

/** The request's body as a JSON object; anything else is the client's error. */
export async function readObject(req) {
    const text = decodeUtf8(await readBody(req));
    let value;
    try {
        value = JSON.parse(text);
    } catch (error) {
        throw badRequest(`the body is not valid JSON: ${error.message}`);
    }
    if (value === null || typeof value !== "object" || Array.isArray(value))
        throw badRequest("the body must be a JSON object");
    return value;
}

function decodeUtf8(bytes) {
    try {
        return new TextDecoder("utf-8", {fatal: true}).decode(bytes);
    } catch {
        throw badRequest("the body is not valid UTF-8");
    }
}

function readBody(req) {
    const tooLarge = new Problem(413, "invalid_request_error", `the body exceeds ${kMaxBodyBytes} bytes`);
    return new Promise((resolve, reject) => {
        const parts = [];
        let size = 0;
        req.on("data", (part) => {
            size += part.length;
            if (size <= kMaxBodyBytes) return parts.push(part);
            // The rest is read and dropped: a client still writing would not see the answer otherwise.
            parts.length = 0;
            reject(tooLarge);
        });
        req.on("end", () => resolve(Buffer.concat(parts)));
        req.on("error", reject);
    });
}
