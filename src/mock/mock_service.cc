#include "mock/mock_service.h"

#include <fmt/format.h>

#include <limits>
#include <optional>

#include "base/random.h"
#include "mock/faults.h"
#include "mock/lmstudio_dialect.h"
#include "mock/model_routes.h"
#include "mock/ollama_dialect.h"
#include "mock/openai_dialect.h"
#include "mock/probe_routes.h"
#include "mock/route_support.h"
#include "mock/stream_sender.h"
#include "mock/tokens.h"
#include "mock/wall_time.h"

namespace assay {

namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

std::optional<Api> generation_api(const ServedRequest& request, Flavor flavor) {
  if (request.method != "POST") return std::nullopt;
  if (request.path == "/v1/chat/completions") return Api::kOpenAiChat;
  if (request.path == "/v1/completions") return Api::kOpenAiText;
  if (flavor == Flavor::kLmStudio && request.path == "/api/v1/chat") return Api::kLmStudioChat;
  if (is_lm_studio(flavor) && request.path == "/api/v0/chat/completions") {
    return Api::kLmStudioOlderChat;
  }
  if (flavor != Flavor::kOllama && flavor != Flavor::kAll) return std::nullopt;
  if (request.path == "/api/chat") return Api::kOllamaChat;
  if (request.path == "/api/generate") return Api::kOllamaGenerate;
  return std::nullopt;
}

std::string retry_after_header(const Behaviour& behaviour) {
  switch (behaviour.retry_after) {
    case Behaviour::RetryAfter::kSeconds:
      return fmt::format("Retry-After: {}\r\n", behaviour.retry_seconds);
    case Behaviour::RetryAfter::kDate:
      return fmt::format("Retry-After: {}\r\n",
                         http_date(wall_now_ns() + behaviour.retry_seconds * 1'000'000'000));
    case Behaviour::RetryAfter::kNone:
      break;
  }
  return {};
}

std::string refusal_text(int status, const std::string& model) {
  switch (status) {
    case 400:
      return "the request was refused";
    case 401:
      return "Invalid API Key";
    case 404:
      return "model '" + model + "' not found";
    case 429:
      return "too many requests";
    case 503:
      return "Loading model";
    default:
      return "the server failed";
  }
}

/// Releases a slot when the answer is over, however it ends.
class SlotLease {
 public:
  explicit SlotLease(SlotQueue& slots) : slots_(slots) {}
  SlotLease(const SlotLease&) = delete;
  SlotLease& operator=(const SlotLease&) = delete;
  ~SlotLease() { slots_.release(); }

 private:
  SlotQueue& slots_;
};

}  // namespace

MockService::MockService(boost::asio::io_context& io, MockOptions options,
                         std::map<std::string, std::string> script)
    : options_(std::move(options)),
      script_(std::move(script)),
      pacer_(io),
      slots_(options_.slots, stats_) {
  // A vLLM server has its models before it listens.
  if (options_.flavor != Flavor::kVllm) return;
  for (const std::string& model : options_.models) models_.load_wait(model, 0, Nanos(0));
}

std::string MockService::error_body(Api api, int status, std::string_view message) const {
  if (api == Api::kLmStudioChat) return lm_studio_error(status, message);
  return is_ollama(api) ? ollama_error(message) : openai_error(options_.flavor, status, message);
}

void MockService::remember(const ServedRequest& request) {
  if (request.path.starts_with("/stats") || request.path == "/requests") return;
  if (seen_.size() == kMostSeen) seen_.pop_front();
  seen_.push_back({request.method, request.target, request.body.substr(0, kMostSeenBytes)});
}

Task<void> MockService::handle(const ServedRequest& request, HttpConnection& connection) {
  stats_.count_request(request.path);
  remember(request);
  std::string response;
  if (needs_key(request) && !options_.api_key.empty() &&
      request.header("Authorization") != "Bearer " + options_.api_key) {
    response = http_response(401, kJsonType, openai_error(options_.flavor, 401, "Invalid API Key"));
  } else {
    const auto api = generation_api(request, options_.flavor);
    if (api) {
      co_await generate(*api, request, connection);
      co_return;
    }
    auto timed = model_response(request, *this);
    if (timed) {
      const bool here = co_await connection.sleep_until(timed->due);
      if (here) co_await connection.send(timed->response);
      co_return;
    }
    response = probe_response(request, *this);
  }
  co_await connection.send(response);
}

Task<void> MockService::generate(Api api, const ServedRequest& request,
                                 HttpConnection& connection) {
  const auto call = parse_call(api, request);
  std::string refusal;
  if (!call) {
    refusal = http_response(400, kJsonType, error_body(api, 400, call.error().message));
    co_await connection.send(refusal);
    co_return;
  }
  const auto behaviour = behaviour_of(call->model);
  if (!behaviour || !models_.admits(call->model)) {
    const std::string why = behaviour ? "too many models" : behaviour.error().message;
    refusal = http_response(400, kJsonType, error_body(api, 400, why));
    co_await connection.send(refusal);
    co_return;
  }
  if (asleep_) {
    refusal = http_response(503, kJsonType, error_body(api, 503, "the engine sleeps"));
    co_await connection.send(refusal);
    co_return;
  }
  const bool refused = co_await refuse(*call, *behaviour, connection);
  if (refused) co_return;
  ++stats_.by_model[call->model];
  note_load(*call);
  if (is_ollama(api) && call->empty) {
    co_await load_only(*call, connection);
  } else {
    co_await answer(*call, *behaviour, connection);
  }
  if (call->unload) models_.unload(call->model);
}

Task<bool> MockService::refuse(const Call& call, const Behaviour& behaviour,
                               HttpConnection& connection) {
  const int64_t attempt = stats_.count_attempt(call.model);
  if (behaviour.reset_at_start) {
    connection.reset();
    co_return true;
  }
  if (behaviour.hang_before_headers) {
    co_await connection.wait();
    co_return true;
  }
  std::string response;
  if (behaviour.refuses(attempt)) {
    std::string headers = retry_after_header(behaviour);
    if (behaviour.status == 302) headers += "Location: /redirected\r\n";
    const std::string text = behaviour.status_text.empty()
                                 ? refusal_text(behaviour.status, call.model)
                                 : std::string(behaviour.status_text);
    response = http_response(behaviour.status, kJsonType,
                             error_body(call.api, behaviour.status, text), headers);
  } else if (behaviour.refuse_stream_options && call.has_stream_options) {
    response = http_response(
        400, kJsonType, error_body(call.api, 400, "unknown field `stream_options` in the request"));
  } else if (behaviour.html) {
    response = http_response(200, "text/html",
                             "<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>\n");
  }
  if (response.empty()) co_return false;
  co_await connection.send(response);
  co_return true;
}

void MockService::note_load(const Call& call) {
  LoadedAs asked;
  asked.context_length = call.num_ctx;
  asked.gpu_layers = call.num_gpu;
  // Ollama's runner options are those of its load: others load the model anew.
  if (is_ollama(call.api) && !call.unload) models_.load_as(call.model, asked);
  // LM Studio has a model that is there answer as it is.
  const bool there = models_.loaded_at(call.model).has_value();
  if (call.api == Api::kLmStudioChat && !there) models_.load_as(call.model, asked);
}

Task<void> MockService::load_only(const Call& call, HttpConnection& connection) {
  if (!call.unload) {
    const Nanos wait = models_.load_wait(call.model, call.received, options_.load_time);
    const bool here = co_await connection.sleep_until(call.received + wait.count());
    if (!here) co_return;
  }
  const std::string response = http_response(200, kJsonType, ollama_load_body(call));
  co_await connection.send(response);
}

Task<void> MockService::answer(const Call& call, const Behaviour& behaviour,
                               HttpConnection& connection) {
  const auto start = co_await slots_.acquire(connection, call.received);
  if (!start) {
    ++stats_.client_gone;
    co_return;
  }
  const SlotLease lease(slots_);
  auto plan = plan_answer(call, behaviour, *start);
  if (!plan) {
    const std::string response = http_response(
        400, kJsonType, context_error(options_.flavor, count_tokens(call.prompt), options_.ctx));
    co_await connection.send(response);
    co_return;
  }
  plan->head_due += behaviour.header_delay.count();
  StreamSender sender(connection, pacer_, stats_, std::move(*plan));
  plan.reset();
  if (call.stream) ++stats_.open_streams;
  const bool complete = co_await sender.run();
  if (call.stream) --stats_.open_streams;
  if (!complete) ++stats_.client_gone;
}

std::optional<StreamPlan> MockService::plan_answer(const Call& call, const Behaviour& behaviour,
                                                   MonoNs start) {
  std::vector<std::string_view> prompt = split_tokens(call.prompt);
  const int64_t ctx = call.num_ctx.value_or(options_.ctx);
  const auto asked = static_cast<int64_t>(prompt.size());
  int64_t room = kNoLimit;
  if (ctx > 0 && is_ollama(call.api)) {
    // Ollama drops the beginning of a prompt that is too long, and says nothing.
    if (asked > ctx) prompt.erase(prompt.begin(), prompt.end() - ctx);
  } else if (ctx > 0) {
    if (asked >= ctx) return std::nullopt;
    room = ctx - asked;
  }

  Reply reply(call, options_, behaviour);
  reply.prompt_tokens = static_cast<int64_t>(prompt.size());
  const Nanos load = models_.load_wait(call.model, start, options_.load_time);
  if (options_.prefix_cache) {
    reply.cached_tokens = models_.prefixes(call.model).match_and_add(prompt);
  }
  reply.answer = make_answer(call, options_, script_, behaviour, room);
  const auto nth = static_cast<uint64_t>(models_.next_answer(call.model));
  SplitMix64 mixer(options_.seed ^ text_hash(call.model) ^ (nth * 0x9e3779b97f4a7c15U));
  reply.schedule =
      make_schedule(options_, call.received, start, load, reply.prompt_tokens - reply.cached_tokens,
                    reply.answer.tokens.size(), mixer());
  stats_.prompt_tokens += reply.prompt_tokens - reply.cached_tokens;
  stats_.cached_tokens += reply.cached_tokens;
  stats_.output_tokens += static_cast<int64_t>(reply.answer.tokens.size());
  reply.id = fmt::format("{:016x}", ++answers_);
  reply.created_s = wall_now_ns() / 1'000'000'000;
  if (call.api == Api::kLmStudioChat) {
    return call.stream ? lm_studio_stream(reply) : body_plan(reply, lm_studio_body(reply));
  }
  if (call.stream) return is_ollama(call.api) ? ollama_stream(reply) : openai_stream(reply);
  return body_plan(reply, is_ollama(call.api) ? ollama_body(reply) : openai_body(reply));
}

}  // namespace assay
