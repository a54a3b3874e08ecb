/** An error the client is told about, in llama-server's shape. */
export class Problem extends Error {
    constructor(code, type, message, details = {}) {
        super(message);
        this.code = code;
        this.type = type;
        this.details = details;
    }

    toJSON() {
        return {error: {code: this.code, message: this.message, type: this.type, ...this.details}};
    }
}

export const badRequest = (message) => new Problem(400, "invalid_request_error", message);
export const unavailable = (message) => new Problem(503, "unavailable_error", message);
