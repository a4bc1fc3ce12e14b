#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mutex.h"
#include "codec/codec.h"
#include "objectstore/xml.h"

// A bucket in memory behind enough of S3 on 127.0.0.1. It checks each signature from the bytes that
// came, without the code that signs.
namespace tidemark::objectstore {

struct S3Seen {
  std::string method;
  std::string target;                          // as it came: "/bucket/key?query"
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct S3Answer {
  int status = 200;  // 0: hangs up instead
  std::string body;
  std::string etag;
  std::optional<std::size_t> length = std::nullopt;  // announced instead of the body's
};

class S3Server {
 public:
  static constexpr const char* kAccessKey = "AKTIDEMARKTEST";
  static constexpr const char* kSecretKey = "a/secret+of=the-tests";
  static constexpr const char* kRegion = "eu-test-1";

  explicit S3Server(std::string bucket)
      : bucket_(std::move(bucket)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TIDEMARK_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    TIDEMARK_CHECK(listen(listener_, 16) == 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
  }

  S3Server(const S3Server&) = delete;
  S3Server& operator=(const S3Server&) = delete;

  ~S3Server() {
    thread_.request_stop();
    thread_.join();
    close(listener_);
  }

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // Called with each request that has a good signature; an answer takes the place of ours. Set it
  // before the first request.
  std::function<std::optional<S3Answer>(const S3Seen& seen)> intercept;
  // Called with what is about to be answered, when it has been done.
  std::function<void(const S3Seen& seen, S3Answer& answer)> spoil;

  std::map<std::string, std::string> Objects() {
    const MutexLock lock(mutex_);
    return objects_;
  }

  void SetObject(const std::string& key, const std::string& bytes) {
    const MutexLock lock(mutex_);
    objects_[key] = bytes;
  }

  std::size_t OpenUploads() {
    const MutexLock lock(mutex_);
    return uploads_.size();
  }

  std::vector<std::string> Log() {
    const MutexLock lock(mutex_);
    return log_;
  }

  int refused() const { return refused_; }

  // ETags as of objects under a customer's keys: no checksum.
  std::atomic<bool> opaque_etags{false};

 private:
  struct Multipart {
    std::string key;
    std::map<int, std::string> parts;
  };

  void Work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{listener_, POLLIN, 0};
      if (poll(&waiting, 1, 20) <= 0) {
        continue;
      }
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection >= 0) {
        Serve(connection);
        close(connection);
      }
    }
  }

  static std::string Decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size()) {
        decoded += AsText(HexDecode(text.substr(i + 1, 2)));
        i += 2;
      } else {
        decoded += text[i];
      }
    }
    return decoded;
  }

  static std::map<std::string, std::string> QueryOf(std::string_view query) {
    std::map<std::string, std::string> pairs;
    while (!query.empty()) {
      const std::string_view one = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(one.size() + 1, query.size()));
      pairs[Decode(one.substr(0, one.find('=')))] =
          one.find('=') == std::string_view::npos ? "" : Decode(one.substr(one.find('=') + 1));
    }
    return pairs;
  }

  static std::optional<S3Seen> Receive(int connection) {
    std::string text;
    std::size_t head = std::string::npos;
    const auto more = [&] {
      char piece[65536];
      const ssize_t got = recv(connection, piece, sizeof piece, 0);
      text.append(piece, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      return got > 0;
    };
    while ((head = text.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) {
        return std::nullopt;
      }
    }
    S3Seen seen;
    seen.method = text.substr(0, text.find(' '));
    seen.target = text.substr(seen.method.size() + 1,
                              text.find(' ', seen.method.size() + 1) - seen.method.size() - 1);
    for (std::size_t at = text.find("\r\n") + 2; at < head;) {
      const std::size_t end = text.find("\r\n", at);
      const std::string line = text.substr(at, end - at);
      std::string name = line.substr(0, line.find(':'));
      for (char& c : name) {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
      seen.headers[name] = line.substr(line.find(':') + 2);
      at = end + 2;
    }
    const std::size_t length =
        seen.headers.contains("content-length") ? std::stoul(seen.headers["content-length"]) : 0;
    while (text.size() < head + 4 + length) {
      if (!more()) {
        return std::nullopt;
      }
    }
    seen.body = text.substr(head + 4, length);
    return seen;
  }

  // From the raw target: a sender that encodes or sorts otherwise than it has sent is found out.
  static bool IsSigned(S3Seen& seen) {
    const std::string header = seen.headers["authorization"];
    const auto field = [&header](const std::string& name) {
      const std::size_t at = header.find(name + "=");
      return at == std::string::npos
                 ? std::string()
                 : header.substr(at + name.size() + 1,
                                 header.find_first_of(", ", at) - at - name.size() - 1);
    };
    const std::string path = seen.target.substr(0, seen.target.find('?'));
    std::string query =
        path.size() == seen.target.size() ? "" : seen.target.substr(path.size() + 1);
    std::vector<std::string> pairs;
    for (std::size_t at = 0; !query.empty() && at <= query.size();) {
      const std::size_t end = std::min(query.find('&', at), query.size());
      pairs.push_back(query.substr(at, end - at));
      at = end + 1;
    }
    std::sort(pairs.begin(), pairs.end());
    std::string canonical = seen.method + "\n" + path + "\n";
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      canonical += (i == 0 ? "" : "&") + pairs[i];
    }
    canonical += "\n";
    const std::string names = field("SignedHeaders");
    for (std::size_t at = 0; at < names.size();) {
      const std::string name = names.substr(at, names.find(';', at) - at);
      canonical += name + ":" + seen.headers[name] + "\n";
      at += name.size() + 1;
    }
    const std::string hash = HexEncode(codec::Sha256(AsBytes(seen.body)));
    canonical += "\n" + names + "\n" + hash;
    const std::string date = seen.headers["x-amz-date"];
    const std::string scope = date.substr(0, 8) + "/" + kRegion + "/s3/aws4_request";
    const std::string to_sign = "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" +
                                HexEncode(codec::Sha256(AsBytes(canonical)));
    auto key =
        codec::HmacSha256(AsBytes("AWS4" + std::string(kSecretKey)), AsBytes(date.substr(0, 8)));
    for (const std::string& step :
         {std::string(kRegion), std::string("s3"), std::string("aws4_request")}) {
      key = codec::HmacSha256(key, AsBytes(step));
    }
    return field("Credential") == std::string(kAccessKey) + "/" + scope &&
           seen.headers["x-amz-content-sha256"] == hash && names.find("host") == 0 &&
           field("Signature") == HexEncode(codec::HmacSha256(key, AsBytes(to_sign)));
  }

  static S3Answer Fail(int status, const std::string& code) {
    return {status, "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code></Error>", ""};
  }

  void Serve(int connection) {
    std::optional<S3Seen> seen = Receive(connection);
    if (!seen) {
      return;
    }
    S3Answer answer;
    if (!IsSigned(*seen)) {
      ++refused_;
      answer = Fail(403, "SignatureDoesNotMatch");
    } else if (const auto instead = intercept ? intercept(*seen) : std::nullopt) {
      answer = *instead;
    } else {
      answer = Handle(*seen);
      if (spoil) {
        spoil(*seen, answer);
      }
    }
    if (answer.status == 0) {
      return;  // hangs up
    }
    std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " X\r\nContent-Length: " +
                       std::to_string(answer.length.value_or(answer.body.size())) +
                       "\r\nConnection: close\r\n";
    text += answer.etag.empty() ? "" : "ETag: \"" + answer.etag + "\"\r\n";
    text += "\r\n";
    text += seen->method == "HEAD" ? "" : answer.body;
    for (std::string_view left = text; !left.empty();) {
      const ssize_t sent = send(connection, left.data(), left.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;
      }
      left.remove_prefix(static_cast<std::size_t>(sent));
    }
    shutdown(connection, SHUT_WR);
  }

  std::string EtagOf(const std::string& bytes) {
    return opaque_etags ? "opaque" : codec::Md5Hex(bytes);
  }

  S3Answer Handle(const S3Seen& seen) {
    const MutexLock lock(mutex_);
    log_.push_back(seen.method + " " + seen.target);
    const std::string path = Decode(seen.target.substr(0, seen.target.find('?')));
    const auto query = QueryOf(seen.target.find('?') == std::string::npos
                                   ? ""
                                   : seen.target.substr(seen.target.find('?') + 1));
    if (path != "/" + bucket_ && !path.starts_with("/" + bucket_ + "/")) {
      return Fail(404, "NoSuchBucket");
    }
    const std::string key = path.size() > bucket_.size() + 2 ? path.substr(bucket_.size() + 2) : "";
    if (query.contains("uploads") || query.contains("uploadId")) {
      return HandleUpload(seen, key, query);
    }
    if (seen.method == "PUT") {
      objects_[key] = seen.body;
      etags_.erase(key);
      return {200, "", EtagOf(seen.body)};
    }
    if (seen.method == "DELETE") {
      objects_.erase(key);
      return {204, "", ""};
    }
    if (!objects_.contains(key)) {
      return Fail(404, "NoSuchKey");
    }
    return {200, objects_[key], etags_.contains(key) ? etags_[key] : EtagOf(objects_[key])};
  }

  S3Answer HandleUpload(const S3Seen& seen,
                        const std::string& key,
                        const std::map<std::string, std::string>& query) TIDEMARK_REQUIRES(mutex_) {
    if (seen.method == "GET") {
      std::string list = "<ListMultipartUploadsResult xmlns=\"http://s3/\">";
      for (const auto& [id, upload] : uploads_) {
        if (upload.key.starts_with(query.at("prefix"))) {
          list += "<Upload><Key>" + EscapeXml(upload.key) + "</Key><UploadId>" + EscapeXml(id) +
                  "</UploadId></Upload>";
        }
      }
      return {200, list + "<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>", ""};
    }
    if (query.contains("uploads")) {
      const std::string id = "up&load/" + std::to_string(++last_upload_);
      uploads_[id].key = key;
      return {200,
              "<InitiateMultipartUploadResult><UploadId>up&amp;load/" +
                  std::to_string(last_upload_) + "</UploadId></InitiateMultipartUploadResult>",
              ""};
    }
    const auto found = uploads_.find(query.at("uploadId"));
    if (found == uploads_.end()) {
      return Fail(404, "NoSuchUpload");
    }
    if (seen.method == "PUT") {
      found->second.parts[std::stoi(query.at("partNumber"))] = seen.body;
      return {200, "", codec::Md5Hex(seen.body)};
    }
    if (seen.method == "POST") {
      std::string whole;
      std::string hashes;
      for (const auto& [number, part] : found->second.parts) {
        whole += part;
        hashes += AsText(HexDecode(codec::Md5Hex(part)));
      }
      objects_[key] = whole;
      etags_[key] = opaque_etags
                        ? "opaque"
                        : codec::Md5Hex(hashes) + "-" + std::to_string(found->second.parts.size());
    }
    uploads_.erase(found);
    return seen.method == "POST" ? S3Answer{200,
                                            "<CompleteMultipartUploadResult><ETag>x</ETag>"
                                            "</CompleteMultipartUploadResult>",
                                            ""}
                                 : S3Answer{204, "", ""};
  }

  const std::string bucket_;
  const int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> refused_{0};
  Mutex mutex_;
  std::map<std::string, std::string> objects_ TIDEMARK_GUARDED_BY(mutex_);
  std::map<std::string, std::string> etags_ TIDEMARK_GUARDED_BY(mutex_);  // of objects of parts
  std::map<std::string, Multipart> uploads_ TIDEMARK_GUARDED_BY(mutex_);
  std::vector<std::string> log_ TIDEMARK_GUARDED_BY(mutex_);
  int last_upload_ TIDEMARK_GUARDED_BY(mutex_) = 0;
  std::jthread thread_;
};

}  // namespace tidemark::objectstore
