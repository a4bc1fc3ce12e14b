#include <cstdlib>
#include <filesystem>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/c_handle.h"
#include "base/error.h"
#include "base/file.h"
#include "http/client.h"
#include "http/server.h"

namespace tidemark::http {
namespace {

using Bio = CHandle<BIO, BIO_free_all>;
using Certificate = CHandle<X509, X509_free>;
using Extension = CHandle<X509_EXTENSION, X509_EXTENSION_free>;
using PrivateKey = CHandle<EVP_PKEY, EVP_PKEY_free>;

constexpr long kDay = 24L * 60 * 60;  // seconds

// A certificate for 127.0.0.1 that signs itself, and ends so many days from now.
Certificate MakeCertificate(EVP_PKEY* key, long days) {
  Certificate made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), days * kDay);
  X509_set_pubkey(made.get(), key);
  X509_NAME* name = X509_get_subject_name(made.get());
  const std::string common = "tidemark test";
  X509_NAME_add_entry_by_txt(name,
                             "CN",
                             MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common.data()),
                             static_cast<int>(common.size()),
                             -1,
                             0);
  X509_set_issuer_name(made.get(), name);
  const Extension address(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1"));
  X509_add_ext(made.get(), address.get(), -1);
  X509_sign(made.get(), key, EVP_sha256());
  return made;
}

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// A client that decides on how its bytes are sent. It trusts everybody.
class TlsPeer {
 public:
  struct Options {
    int version = TLS1_3_VERSION;
    std::size_t piece = 1U << 20;  // bytes sent at once
    int receive_buffer = 0;        // bytes; 0: the system's
  };

  TlsPeer(std::uint16_t port, const Options& options)
      : options_(options),
        context_(SSL_CTX_new(TLS_client_method())),
        ssl_(SSL_new(context_.get())),
        socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    SSL_set_min_proto_version(ssl_.get(), options_.version);
    SSL_set_max_proto_version(ssl_.get(), options_.version);
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    const int yes = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (options_.receive_buffer > 0) {
      setsockopt(
          socket_, SOL_SOCKET, SO_RCVBUF, &options_.receive_buffer, sizeof options_.receive_buffer);
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    while (SSL_connect(ssl_.get()) != 1) {
      Flush();
      if (!Receive()) {
        ADD_FAILURE() << "the handshake broke off";
        return;
      }
    }
    Flush();
  }

  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  ~TlsPeer() { close(socket_); }

  // One record; sent by Flush.
  void Write(std::string_view text) {
    EXPECT_EQ(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())),
              static_cast<int>(text.size()));
  }

  void Flush() {
    const std::string text = Text(out_);
    for (std::size_t at = 0; at < text.size(); at += options_.piece) {
      const std::size_t size = std::min(options_.piece, text.size() - at);
      EXPECT_EQ(send(socket_, text.data() + at, size, MSG_NOSIGNAL), static_cast<ssize_t>(size));
    }
    EXPECT_EQ(BIO_reset(out_), 1);
  }

  // Up to the server's end, or until `enough` is in it.
  std::string Read(std::string_view enough = {}) {
    std::string all;
    while (enough.empty() || all.find(enough) == std::string::npos) {
      std::array<char, 16384> piece;
      const int got = SSL_read(ssl_.get(), piece.data(), piece.size());
      if (got > 0) {
        all.append(piece.data(), static_cast<std::size_t>(got));
      } else if (SSL_get_error(ssl_.get(), got) != SSL_ERROR_WANT_READ || !Receive()) {
        return all;
      }
    }
    return all;
  }

  // Whether the server has said that nothing follows.
  bool ended() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

 private:
  bool Receive() {
    std::array<char, 4096> piece;
    const ssize_t got = recv(socket_, piece.data(), piece.size(), 0);
    return got > 0 && BIO_write(in_, piece.data(), static_cast<int>(got)) == got;
  }

  const Options options_;
  const CHandle<SSL_CTX, SSL_CTX_free> context_;
  const CHandle<SSL, SSL_free> ssl_;
  const int socket_;
  BIO* in_ = nullptr;  // of ssl_, as out_
  BIO* out_ = nullptr;
};

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    folder_ = std::filesystem::temp_directory_path() / ("tls_test-" + RandomHex(random_, 8));
    std::filesystem::create_directory(folder_);
    options_.port = 0;
    options_.tls_certificate_file = folder_ / "certificate.pem";
    options_.tls_key_file = folder_ / "key.pem";
    Put(MakePair(1));
    server_ = Server::Start(options_, Echo, *log_, random_);
  }

  TlsTest(const TlsTest&) = delete;
  TlsTest& operator=(const TlsTest&) = delete;

  ~TlsTest() override {
    unsetenv("SSL_CERT_FILE");
    std::filesystem::remove_all(folder_);
  }

  struct Pair {
    std::string certificate;
    std::string key;
  };

  static Pair MakePair(long days) {
    const PrivateKey key(EVP_EC_gen("P-256"));
    const Certificate certificate = MakeCertificate(key.get(), days);
    const Bio certificate_text(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(certificate_text.get(), certificate.get());
    const Bio key_text(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return {Text(certificate_text.get()), Text(key_text.get())};
  }

  void Put(const Pair& pair) const {
    WriteFileDurably(options_.tls_certificate_file, AsBytes(pair.certificate), 0600);
    WriteFileDurably(options_.tls_key_file, AsBytes(pair.key), 0600);
  }

  // Whether a client that trusts the certificate in the file gets an answer.
  bool ServesThePairInTheFiles() const {
    setenv("SSL_CERT_FILE", options_.tls_certificate_file.c_str(), 1);
    try {
      return Post("x").status == 200;
    } catch (const Error&) {
      return false;
    }
  }

  // The refusal's message; empty when it was taken.
  std::string Reload() const {
    try {
      server_->ReloadTls();
      return "";
    } catch (const Error& error) {
      return std::string(error.message());
    }
  }

  static Response Echo(const Request& request) {
    return {200, {}, request.scheme + " " + request.body};
  }

  Response Post(const std::string& body) const {
    return Send({"https", "127.0.0.1", server_->port()},
                {Method::kPost, "/", {}, body},
                std::chrono::seconds(30));
  }

  std::filesystem::path folder_;
  SystemRandom random_;
  std::unique_ptr<Log> log_ = MakeNullLog();
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, ServesAClientThatTrustsTheCertificate) {
  setenv("SSL_CERT_FILE", options_.tls_certificate_file.c_str(), 1);
  const std::string body(100000, 'x');
  const Response response = Post(body);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "https " + body);
}

std::string PostOf(std::string_view body, std::string_view more = "") {
  return fmt::format(
      "POST / HTTP/1.1\r\nHost: x\r\n{}Content-Length: {}\r\n\r\n{}", more, body.size(), body);
}

TEST_F(TlsTest, WaitsForRecordsThatComeByteByByte) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPeer peer(server_->port(), {.version = version, .piece = 1});
    for (int i = 0; i < 3; ++i) {
      peer.Write(PostOf("body|"));
      peer.Flush();
      EXPECT_THAT(peer.Read("|"), testing::HasSubstr("https body|"));
    }
  }
}

// What OpenSSL has read ahead shows on no socket any more.
TEST_F(TlsTest, ServesRequestsThatCameInOnePacket) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPeer peer(server_->port(), {.version = version});
    for (const char* body : {"one", "two", "three"}) {
      peer.Write(PostOf(body));
    }
    peer.Write(PostOf("", "Connection: close\r\n").substr(0, 20));
    peer.Write(PostOf("", "Connection: close\r\n").substr(20));
    peer.Flush();
    EXPECT_THAT(peer.Read(),
                testing::ContainsRegex("https one(.|\n|\r)*https two(.|\n|\r)*https three"));
    EXPECT_TRUE(peer.ended());
  }
}

TEST_F(TlsTest, AnswersMoreThanTheSocketTakes) {
  std::string large;
  while (large.size() < (12U << 20)) {
    large += fmt::format("{} ", large.size());
  }
  server_ = Server::Start(
      options_, [&](const Request&) { return Response{200, {}, large}; }, *log_, random_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPeer peer(server_->port(), {.version = version, .receive_buffer = 4096});
    peer.Write(PostOf("", "Connection: close\r\n"));
    peer.Flush();
    const std::string answer = peer.Read();
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + large));
    EXPECT_TRUE(peer.ended());
  }
}

TEST_F(TlsTest, TakesALargeBodyInSmallPieces) {
  const std::string body = std::string(200'000, 'y') + "|";
  TlsPeer peer(server_->port(), {.piece = 777});
  peer.Write(PostOf(body));
  peer.Flush();
  EXPECT_TRUE(peer.Read("|").ends_with("https " + body));
}

TEST_F(TlsTest, APeerThatLeavesInTheMiddleHurtsNobody) {
  for (int i = 0; i < 20; ++i) {
    TlsPeer gone(server_->port(), {});
    gone.Write(PostOf("body").substr(0, 30));
    gone.Flush();
  }
  TlsPeer peer(server_->port(), {});
  peer.Write(PostOf("body|"));
  peer.Flush();
  EXPECT_THAT(peer.Read("|"), testing::HasSubstr("https body|"));
}

TEST_F(TlsTest, ClientRefusesACertificateItDoesNotTrust) {
  setenv("SSL_CERT_FILE", "/nowhere", 1);
  try {
    Post("secret");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnauthenticated);
  }
}

TEST_F(TlsTest, PlainHttpIsNotUnderstood) {
  EXPECT_THROW(Send({"http", "127.0.0.1", server_->port()},
                    {Method::kGet, "/", {}, {}},
                    std::chrono::seconds(30)),
               Error);
}

TEST_F(TlsTest, TakesANewPairWithoutARestart) {
  Put(MakePair(5));
  EXPECT_FALSE(ServesThePairInTheFiles());
  EXPECT_EQ(Reload(), "");
  EXPECT_TRUE(ServesThePairInTheFiles());
  const auto left = server_->TlsEnds().value() - SystemClock().Now();
  EXPECT_GT(left, std::chrono::hours(24 * 4));
}

TEST_F(TlsTest, KeepsTheOldPairWhenTheNewOneIsBad) {
  const Pair old = MakePair(3);
  Put(old);
  ASSERT_EQ(Reload(), "");
  const Pair other = MakePair(3);
  const std::vector<Pair> bad{
      {other.certificate, old.key},                   // do not belong together
      {other.certificate.substr(0, 200), other.key},  // still being written
      {"", other.key},
      {other.certificate, other.key.substr(0, 60)},
      MakePair(-1),  // has ended
  };
  for (const Pair& pair : bad) {
    Put(pair);
    EXPECT_THAT(Reload(), testing::StartsWith("reading the TLS file ")) << pair.certificate;
    Put(old);
    EXPECT_TRUE(ServesThePairInTheFiles());
  }
  std::filesystem::remove(options_.tls_key_file);
  EXPECT_THAT(Reload(), testing::HasSubstr("key.pem"));
}

TEST_F(TlsTest, ARefusedPairAtTheStartIsAnError) {
  Put({MakePair(1).certificate, MakePair(1).key});
  EXPECT_THROW(Server::Start(options_, Echo, *log_, random_), Error);
}

TEST_F(TlsTest, StopsWithAnOpenConnection) {
  setenv("SSL_CERT_FILE", options_.tls_certificate_file.c_str(), 1);
  Post("x");
  server_->Stop(std::chrono::seconds(30));
  EXPECT_THROW(Post("x"), Error);
}

}  // namespace
}  // namespace tidemark::http
