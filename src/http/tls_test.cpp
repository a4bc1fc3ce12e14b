#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

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
