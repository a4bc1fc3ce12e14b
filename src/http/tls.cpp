#include "http/internal/tls.h"

#include <ctime>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/error.h"

namespace tidemark::http {
namespace {

using boost::asio::ssl::context;

void Check(const boost::system::error_code& error, const std::string& file) {
  if (error) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading the TLS file " + file + ": " + error.message(),
                "it must be PEM; certificate and key must belong together");
  }
}

context MakeContext(context::method method) {
  context tls(method);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(tls.native_handle(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  return tls;
}

// Of TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325 section 4.2). TLS 1.3 has
// no others.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

Instant InstantOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    throw Error(ErrorCode::kInvalidArgument, "reading the TLS certificate: it has a bad date");
  }
  return Instant(std::chrono::seconds(timegm(&parts)));
}

}  // namespace

context MakeServerTls(const std::string& certificate_file, const std::string& key_file) {
  context tls = MakeContext(context::tls_server);
  TIDEMARK_CHECK(SSL_CTX_set_cipher_list(tls.native_handle(), kCiphers) == 1);
  // An idle connection should cost little, and one that has gone nothing: clients resume by ticket.
  SSL_CTX_set_mode(tls.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(tls.native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(tls.native_handle(), 1);
  // A record with one read of the socket, not with two.
  SSL_CTX_set_read_ahead(tls.native_handle(), 1);
  boost::system::error_code error;
  // Nobody is there to type it.
  tls.set_password_callback([](std::size_t, context::password_purpose) { return std::string(); },
                            error);
  tls.use_certificate_chain_file(certificate_file, error);
  Check(error, certificate_file);
  tls.use_private_key_file(key_file, context::pem, error);
  Check(error, key_file);
  return tls;
}

Validity ValidityOf(context& tls) {
  const X509* certificate = SSL_CTX_get0_certificate(tls.native_handle());
  TIDEMARK_CHECK(certificate != nullptr);
  return {InstantOf(X509_get0_notBefore(certificate)), InstantOf(X509_get0_notAfter(certificate))};
}

context MakeClientTls() {
  context tls = MakeContext(context::tls_client);
  boost::system::error_code error;
  tls.set_default_verify_paths(error);
  tls.set_verify_mode(boost::asio::ssl::verify_peer, error);
  return tls;
}

}  // namespace tidemark::http
