#include "mock/mock_server.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <future>
#include <optional>
#include <thread>

#include "mock/mock_service.h"
#include "mock/reset_listener.h"
#include "net/http_server.h"

namespace assay {

namespace asio = boost::asio;

struct MockServer::State {
  asio::io_context io{1};
  std::unique_ptr<MockService> service;
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<ResetListener> resets;
  std::thread thread;
};

Result<std::unique_ptr<MockServer>> MockServer::start(MockOptions options) {
  const auto checked = check_options(options);
  if (!checked) return fail(checked.error());
  std::map<std::string, std::string> script = options.answers;
  if (!options.script_path.empty()) {
    auto read = read_script(options.script_path);
    if (!read) return fail(read.error());
    script.merge(*read);
  }
  const uint16_t port = options.port;
  auto state = std::make_unique<State>();
  state->service = std::make_unique<MockService>(state->io, std::move(options), std::move(script));
  MockService* service = state->service.get();
  auto server = HttpServer::listen(
      state->io, port, [service](const ServedRequest& request, HttpConnection& connection) {
        return service->handle(request, connection);
      });
  if (!server) return fail(server.error());
  state->server = std::move(*server);
  auto resets = ResetListener::listen(state->io, service->stats());
  if (!resets) return fail(resets.error());
  state->resets = std::move(*resets);
  state->thread = std::thread([io = &state->io] { io->run(); });
  return std::unique_ptr<MockServer>(new MockServer(std::move(state)));
}

MockServer::MockServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

MockServer::~MockServer() { stop(); }

uint16_t MockServer::port() const { return state_->server->port(); }
uint16_t MockServer::reset_port() const { return state_->resets->port(); }

std::string MockServer::base_url() const { return fmt::format("http://127.0.0.1:{}", port()); }
std::string MockServer::reset_url() const {
  return fmt::format("http://127.0.0.1:{}", reset_port());
}

MockStats MockServer::stats() const {
  if (!state_->thread.joinable()) return state_->service->stats();
  std::promise<MockStats> promise;
  auto copied = promise.get_future();
  asio::post(state_->io, [&] { promise.set_value(state_->service->stats()); });
  return copied.get();
}

void MockServer::stop() {
  if (!state_->thread.joinable()) return;
  asio::post(state_->io, [state = state_.get()] {
    state->server->stop();
    state->resets->stop();
  });
  // With every connection closed nothing is left to wait for, and run() returns.
  state_->thread.join();
}

int run_mock_server(MockOptions options) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto server = MockServer::start(std::move(options));
  if (!server) {
    fmt::print(stderr, "mock-server: {}\n", server.error().message);
    return server.error().code == Errc::kInvalidArgument ? 2 : 1;
  }
  fmt::print("{{\"listening\":\"{}\",\"reset\":\"{}\"}}\n", (*server)->base_url(),
             (*server)->reset_url());
  std::fflush(stdout);
  int signal = 0;
  ::sigwait(&signals, &signal);
  (*server)->stop();
  return 0;
}

}  // namespace assay
