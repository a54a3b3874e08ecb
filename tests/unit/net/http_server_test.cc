#include "net/http_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <stdexcept>
#include <thread>

#include "support/blocking_client.h"

namespace assay::test {
namespace {

/// A server on its own thread.
class OwnThreadServer : public ::testing::Test {
 protected:
  void start(const HttpServer::Handler& handler, HttpLimits limits = {}) {
    auto server = HttpServer::listen(io_, 0, handler, limits);
    ASSERT_TRUE(server.has_value());
    server_ = std::move(*server);
    thread_ = std::thread([this] { io_.run(); });
  }

  void TearDown() override {
    boost::asio::post(io_, [this] { server_->stop(); });
    thread_.join();
    EXPECT_EQ(server_->connections(), 0U);
  }

  boost::asio::io_context io_{1};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

/// One that answers with what it understood of the request.
class HttpServerTest : public OwnThreadServer {
 protected:
  void SetUp() override {
    start([this](const ServedRequest& request, HttpConnection& connection) {
      return answer(request, connection);
    });
  }

  Task<void> answer(const ServedRequest& request, HttpConnection& connection) {
    if (request.path == "/throw") throw std::runtime_error("handler");
    if (request.path == "/reset") {
      connection.reset();
      co_return;
    }
    if (request.path == "/hang") {
      co_await connection.wait();
      hang_ended_ = true;
      co_return;
    }
    std::string text = request.method + "|" + request.path + "|" + request.query + "|";
    text += std::string(request.header("x-thing")) + "|";
    text += request.body.size() < 100 ? request.body : std::to_string(request.body.size());
    const std::string response = http_response(200, "text/plain", text);
    co_await connection.send(response);
  }

  [[nodiscard]] uint16_t port() const { return server_->port(); }

  std::atomic<bool> hang_ended_{false};
};

TEST_F(HttpServerTest, GivesTheHandlerTheWholeRequest) {
  const Reply reply = http(port(), "POST", "/a/b?c=d&e", "{\"x\":1}", "X-Thing: yes\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "POST|/a/b|c=d&e|yes|{\"x\":1}");
}

TEST_F(HttpServerTest, KeepsTheConnectionForTheNextRequest) {
  BlockingClient client(port());
  EXPECT_EQ(client.exchange("GET", "/1").body, "GET|/1|||");
  EXPECT_EQ(client.exchange("GET", "/2").body, "GET|/2|||");
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  BlockingClient client(port());
  client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read_reply().body, "GET|/1|||");
  EXPECT_EQ(client.read_reply().body, "GET|/2|||");
}

TEST_F(HttpServerTest, ClosesWhenTheClientAsksForIt) {
  BlockingClient client(port());
  EXPECT_EQ(client.exchange("GET", "/1", "", "Connection: close\r\n").body, "GET|/1|||");
  EXPECT_FALSE(client.receive());
  EXPECT_EQ(client.end(), Reply::End::kCut);
}

TEST_F(HttpServerTest, TakesChunkedBodiesInAnyPieces) {
  const std::string request =
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\n\r\n";
  BlockingClient client(port());
  for (const char byte : request) client.send(std::string_view(&byte, 1));
  EXPECT_EQ(client.read_reply().body, "POST|/c|||abc0123456789");
}

TEST_F(HttpServerTest, TakesLargeBodies) {
  const Reply reply = http(port(), "POST", "/big", std::string(3 << 20, 'x'));
  EXPECT_EQ(reply.body, "POST|/big|||3145728");
}

TEST_F(HttpServerTest, InvitesABodyThatWaitsForIt) {
  BlockingClient client(port());
  client.send("POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(client.receive());
  EXPECT_EQ(client.received(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  while (client.received().find("|ok") == std::string::npos && client.receive()) {
  }
  EXPECT_NE(client.received().find("POST|/e|||ok"), std::string::npos);
}

TEST_F(HttpServerTest, RefusesHeadersOverTheLimit) {
  const Reply reply = http(port(), "GET", "/", "", "X: " + std::string(17 << 10, 'x') + "\r\n");
  EXPECT_EQ(reply.status, 431);
}

TEST_F(HttpServerTest, RefusesBodiesOverTheLimitBeforeTheyCome) {
  BlockingClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 67108865\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 413);
}

TEST_F(HttpServerTest, RefusesWhatIsNotHttp) {
  BlockingClient client(port());
  client.send("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 400);
}

TEST_F(HttpServerTest, RefusesLengthTogetherWithChunks) {
  BlockingClient client(port());
  client.send(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 400);
}

TEST_F(HttpServerTest, AHandlerThatThrowsCostsOnlyItsConnection) {
  EXPECT_EQ(http(port(), "GET", "/throw").status, 0);
  EXPECT_EQ(http(port(), "GET", "/").status, 200);
}

TEST_F(HttpServerTest, AResetReachesTheClientAsOne) {
  EXPECT_EQ(http(port(), "GET", "/reset").end, Reply::End::kReset);
}

TEST_F(HttpServerTest, AWaitEndsWhenTheClientLeaves) {
  {
    BlockingClient client(port());
    client.request("GET", "/hang");
    // A second connection's answer shows that the first request is being handled.
    EXPECT_EQ(http(port(), "GET", "/").status, 200);
  }
  for (int i = 0; i < 1000 && !hang_ended_; ++i) http(port(), "GET", "/");
  EXPECT_TRUE(hang_ended_);
}

TEST_F(HttpServerTest, StopEndsWaitingHandlers) {
  BlockingClient client(port());
  client.request("GET", "/hang");
  EXPECT_EQ(http(port(), "GET", "/").status, 200);
  // TearDown joins the thread, which it could not with a handler still waiting.
}

/// One with limits that a test can wait for.
class HttpServerLimitsTest : public OwnThreadServer {
 protected:
  static Task<void> answer(const ServedRequest&, HttpConnection& connection) {
    const std::string response = http_response(200, "text/plain", "ok");
    co_await connection.send(response);
  }
};

TEST_F(HttpServerLimitsTest, ClosesAConnectionThatAsksNothing) {
  HttpLimits limits;
  limits.idle = std::chrono::milliseconds(300);  // Longer than a busy machine takes to ask.
  start(answer, limits);
  BlockingClient silent(server_->port());
  EXPECT_FALSE(silent.receive());
  EXPECT_EQ(silent.end(), Reply::End::kCut);
  BlockingClient kept(server_->port());
  EXPECT_EQ(kept.exchange("GET", "/").status, 200);
  EXPECT_FALSE(kept.receive());
  EXPECT_EQ(kept.end(), Reply::End::kCut);
}

TEST_F(HttpServerLimitsTest, ClosesAConnectionWhoseRequestDoesNotEnd) {
  HttpLimits limits;
  limits.request = std::chrono::milliseconds(40);
  start(answer, limits);
  for (const std::string_view begun : {std::string_view("GET / HTTP/1.1\r\nHost"),
                                       std::string_view("POST / HTTP/1.1\r\nHost: x\r\n"
                                                        "Content-Length: 9\r\n\r\nhalf")}) {
    BlockingClient slow(server_->port());
    slow.send(begun);
    EXPECT_FALSE(slow.receive());
    EXPECT_EQ(slow.end(), Reply::End::kCut);
  }
}

TEST(HttpServer, SaysWhichPortIsTaken) {
  boost::asio::io_context io(1);
  const auto nothing = [](const ServedRequest&, HttpConnection&) -> Task<void> { co_return; };
  const auto first = HttpServer::listen(io, 0, nothing);
  ASSERT_TRUE(first.has_value());
  const auto second = HttpServer::listen(io, (*first)->port(), nothing);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::kConflict);
  EXPECT_NE(second.error().message.find(std::to_string((*first)->port())), std::string::npos);
  (*first)->stop();
  io.run();
}

}  // namespace
}  // namespace assay::test
