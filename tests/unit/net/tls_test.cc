// The TLS client against OpenSSL's own server side, over a real socket.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>

#include "net/http_client.h"
#include "run/wait_for.h"

namespace assay {
namespace {

struct Identity {
  std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key{nullptr, ::EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&::X509_free)> certificate{nullptr, ::X509_free};
};

/// A self-signed certificate for that address.
Identity make_identity(const std::string& address) {
  Identity id;
  id.key.reset(::EVP_RSA_gen(2048));
  id.certificate.reset(::X509_new());
  X509* x = id.certificate.get();
  ::X509_set_version(x, 2);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(x), 1);
  ::X509_gmtime_adj(::X509_getm_notBefore(x), -3600);
  ::X509_gmtime_adj(::X509_getm_notAfter(x), 3600);
  ::X509_set_pubkey(x, id.key.get());
  X509_NAME* name = ::X509_get_subject_name(x);
  ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("assay test"), -1, -1, 0);
  ::X509_set_issuer_name(x, name);
  X509_EXTENSION* extension =
      ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("IP:" + address).c_str());
  ::X509_add_ext(x, extension, -1);
  ::X509_EXTENSION_free(extension);
  ::X509_sign(x, id.key.get(), ::EVP_sha256());
  return id;
}

/// Answers one request on one connection with a chunked body, in several TLS records.
class TlsServer {
 public:
  explicit TlsServer(const Identity& id) : context_(::SSL_CTX_new(::TLS_server_method())) {
    ::SSL_CTX_use_certificate(context_, id.certificate.get());
    ::SSL_CTX_use_PrivateKey(context_, id.key.get());
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 1);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TlsServer() {
    thread_.join();
    ::close(listener_);
    ::SSL_CTX_free(context_);
  }
  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  void serve() {
    const int fd = ::accept(listener_, nullptr, nullptr);
    SSL* ssl = ::SSL_new(context_);
    ::SSL_set_fd(ssl, fd);
    if (::SSL_accept(ssl) == 1) {
      char request[4096];
      ::SSL_read(ssl, request, sizeof request);
      for (const char* part : {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                               "5\r\nhello\r\n", "6\r\n world\r\n", "0\r\n\r\n"}) {
        ::SSL_write(ssl, part, static_cast<int>(std::char_traits<char>::length(part)));
      }
      ::SSL_shutdown(ssl);
    }
    ::SSL_free(ssl);
    ::close(fd);
  }

  SSL_CTX* context_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

class Tls : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    // The process-wide context reads the authorities once: the trusted one is there before.
    trusted_ = std::make_unique<Identity>(make_identity("127.0.0.1"));
    file_ = std::filesystem::temp_directory_path() /
            ("assay_tls_test_" + std::to_string(::getpid()) + ".pem");
    FILE* pem = std::fopen(file_.c_str(), "w");
    ::PEM_write_X509(pem, trusted_->certificate.get());
    std::fclose(pem);
    ::setenv("SSL_CERT_FILE", file_.c_str(), 1);
  }
  static void TearDownTestSuite() {
    std::filesystem::remove(file_);
    ::unsetenv("SSL_CERT_FILE");
  }

  static Result<std::pair<ResponseHead, std::string>> fetch_from(const Identity& identity) {
    const TlsServer server(identity);
    Session session;
    Url url;
    url.tls = true;
    url.host = "127.0.0.1";
    url.port = server.port();
    return session.wait_for(
        session.http.fetch(url, HttpRequest(), Secret(), std::chrono::seconds(10)));
  }

  static inline std::unique_ptr<Identity> trusted_;
  static inline std::filesystem::path file_;
};

TEST_F(Tls, ReadsFromAServerThatIsTrusted) {
  const auto answer = fetch_from(*trusted_);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->first.status, 200);
  EXPECT_EQ(answer->second, "hello world");
}

TEST_F(Tls, RefusesAStranger) {
  const auto answer = fetch_from(make_identity("127.0.0.1"));
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("certificate"), std::string::npos);
}

TEST_F(Tls, StampsSurviveDecryption) {
  const TlsServer server(*trusted_);
  Session session;
  Url url;
  url.tls = true;
  url.host = "127.0.0.1";
  url.port = server.port();
  int kernel_stamps = 0;
  const auto on_body = [&](const ResponseHead&, std::string_view, const Stamp& stamp) {
    kernel_stamps += stamp.kernel ? 1 : 0;
    return true;
  };
  CallWatch watch(session.io, Limits());
  HttpRequest request;
  const Secret key;
  const Exchange done =
      session.wait_for(session.http.exchange(url, std::move(request), key, watch, on_body));
  EXPECT_FALSE(done.failure) << done.failure->message;
  EXPECT_GT(kernel_stamps, 0);
}

}  // namespace
}  // namespace assay
