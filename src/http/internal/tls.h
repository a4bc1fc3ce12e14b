#pragma once

#include <string>

#include <boost/asio/ssl/context.hpp>

namespace tidemark::http {

// A server's context: TLS 1.2 or newer. kInvalidArgument: a file cannot be read or the two do not
// fit.
boost::asio::ssl::context MakeServerTls(const std::string& certificate_file,
                                        const std::string& key_file);

// A client's context: TLS 1.2 or newer, the system's authorities.
boost::asio::ssl::context MakeClientTls();

}  // namespace tidemark::http
