#include "http/internal/tls.h"

#include <openssl/ssl.h>

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
  return tls;
}

}  // namespace

context MakeServerTls(const std::string& certificate_file, const std::string& key_file) {
  context tls = MakeContext(context::tls_server);
  boost::system::error_code error;
  tls.use_certificate_chain_file(certificate_file, error);
  Check(error, certificate_file);
  tls.use_private_key_file(key_file, context::pem, error);
  Check(error, key_file);
  return tls;
}

context MakeClientTls() {
  context tls = MakeContext(context::tls_client);
  boost::system::error_code error;
  tls.set_default_verify_paths(error);
  tls.set_verify_mode(boost::asio::ssl::verify_peer, error);
  return tls;
}

}  // namespace tidemark::http
