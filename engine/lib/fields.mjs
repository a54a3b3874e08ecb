import {badRequest} from "./problem.mjs";

/** Reads a JSON object field by field. Absent and null read as undefined; a wrong value is a 400 naming the field. */
export class Fields {
    #values;

    constructor(values) {
        this.#values = values;
    }

    any(name) {
        return this.#values[name] ?? undefined;
    }

    number(name, {least = -Infinity, most = Infinity, whole = false}) {
        const value = this.any(name);
        if (value === undefined) return undefined;
        if (typeof value !== "number" || value < least || value > most || (whole && !Number.isSafeInteger(value)))
            throw badRequest(`"${name}" must be a ${whole ? "whole number" : "number"}${range(least, most)}`);
        return value;
    }

    boolean(name, fallback) {
        const value = this.any(name) ?? fallback;
        if (typeof value !== "boolean") throw badRequest(`"${name}" must be true or false`);
        return value;
    }

    object(name) {
        const value = this.any(name) ?? {};
        if (typeof value !== "object" || Array.isArray(value)) throw badRequest(`"${name}" must be an object`);
        return value;
    }

    string(name) {
        const value = this.any(name);
        if (typeof value !== "string") throw badRequest(`"${name}" must be a string`);
        return value;
    }
}

function range(least, most) {
    if (least === -Infinity) return "";
    return most === Infinity ? ` of at least ${least}` : ` from ${least} to ${most}`;
}
