#include <algorithm>

#include "base/error.h"
#include "base/pause.h"
#include "objectstore/internal/s3_client.h"
#include "objectstore/internal/upload_digest.h"
#include "objectstore/s3.h"

namespace tidemark::objectstore {
namespace {

constexpr int kMaxParts = 10'000;

class S3Bucket;

// Collects up to one part; longer objects become multipart uploads.
class S3Upload final : public Upload {
 public:
  S3Upload(S3Bucket& bucket, S3Client& client, std::string key, const std::stop_token& stop)
      : bucket_(bucket), client_(client), key_(std::move(key)), stop_(stop) {}

  S3Upload(const S3Upload&) = delete;
  S3Upload& operator=(const S3Upload&) = delete;
  ~S3Upload() override;

  void Write(ByteView bytes) override {
    digest_.Add(bytes);
    while (!bytes.empty()) {
      const std::size_t limit = client_.options().part_size.value;
      const std::size_t taken = std::min(limit - buffer_.size(), bytes.size());
      if (taken > buffer_.capacity() - buffer_.size()) {
        buffer_.reserve(limit);  // once: growing would hold up to three times as much
      }
      buffer_.insert(
          buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
      bytes = bytes.subspan(taken);
      if (buffer_.size() == limit) {
        SendPart();
      }
    }
  }

  Result Finish() override;

 private:
  // An attempt whose answer got lost has begun an upload that nobody knows the id of.
  void Begin() {
    int attempts = 0;
    begun_unknown_ = true;
    const XmlElement begun = client_.SendForXml(
        {.method = "POST", .key = key_, .query = {{"uploads", ""}}, .attempts = &attempts},
        "InitiateMultipartUploadResult",
        stop_);
    upload_id_ = begun.TextOf("UploadId");
    if (upload_id_.empty()) {
      throw Error(ErrorCode::kCorrupt,
                  "beginning an upload to " + client_.NameOf(key_) + ": it has no UploadId");
    }
    begun_unknown_ = attempts > 1;
  }

  void GiveUpRest();

  void SendPart() {
    if (upload_id_.empty()) {
      Begin();
    }
    if (parts_.size() >= kMaxParts) {
      throw Error(ErrorCode::kInvalidArgument,
                  "writing " + client_.NameOf(key_) + ": it has more than 10,000 parts");
    }
    const HttpAnswer answer = client_.Send(
        {.method = "PUT",
         .key = key_,
         .query = {{"partNumber", std::to_string(parts_.size() + 1)}, {"uploadId", upload_id_}},
         .body = buffer_},
        stop_);
    digest_.AddPart(buffer_);
    parts_.push_back(answer.etag);
    buffer_.clear();
  }

  // An answer that got lost leaves the object behind and no upload: whether it is there is what
  // Finish looks at next.
  void CompleteParts() {
    std::string body = "<CompleteMultipartUpload>";
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      body += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>&quot;" +
              EscapeXml(parts_[i]) + "&quot;</ETag></Part>";
    }
    body += "</CompleteMultipartUpload>";
    try {
      client_.SendForXml({.method = "POST",
                          .key = key_,
                          .query = {{"uploadId", upload_id_}},
                          .body = AsBytes(body)},
                         "CompleteMultipartUploadResult",
                         stop_);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) {
        throw;
      }
    }
    upload_id_.clear();
  }

  S3Bucket& bucket_;
  S3Client& client_;
  const std::string key_;
  const std::stop_token stop_;
  UploadDigest digest_;
  Bytes buffer_;
  std::string upload_id_;           // of a multipart upload that is open
  bool begun_unknown_ = false;      // there may be others
  std::vector<std::string> parts_;  // their ETags
};

class S3Bucket final : public Bucket {
 public:
  S3Bucket(S3Address address, S3Options options, const Clock& clock, Log& log)
      : client_(std::move(address), std::move(options), clock, log) {}

  std::unique_ptr<Upload> Begin(const std::string& key, const std::stop_token& stop) override {
    TIDEMARK_CHECK(!key.empty() && key.size() <= kMaxKey);
    return std::make_unique<S3Upload>(*this, client_, key, stop);
  }

  bool Exists(const std::string& key, const std::stop_token& stop) override {
    return client_.Send({.method = "HEAD", .key = key, .may_be_absent = true}, stop).status != 404;
  }

  void Read(const std::string& key,
            const std::stop_token& stop,
            const std::function<void(ByteView bytes)>& visit) override {
    client_.Send({.method = "GET", .key = key, .on_body = visit}, stop);
  }

  void Delete(const std::string& key, const std::stop_token& stop) override {
    client_.Send({.method = "DELETE", .key = key, .may_be_absent = true}, stop);
  }

  void DropUploads(const std::string& prefix, const std::stop_token& stop) override {
    DropUploads(prefix, stop, [&prefix](std::string_view key) { return key.starts_with(prefix); });
  }

  // Those of one object.
  void DropUploadsOf(const std::string& key) {
    DropUploads(key, {}, [&key](std::string_view found) { return found == key; });
  }

  void Abort(const std::string& key,
             const std::string& upload_id,
             const std::stop_token& stop,
             bool once = false) {
    client_.Send({.method = "DELETE",
                  .key = key,
                  .query = {{"uploadId", upload_id}},
                  .may_be_absent = true,
                  .once = once},
                 stop);
  }

  // The store's word for it where its ETag is a checksum, else all of it is read again.
  void Compare(const std::string& key,
               const Upload::Result& written,
               const std::string& etag,
               const std::stop_token& stop) {
    const HttpAnswer stored =
        client_.Send({.method = "HEAD", .key = key, .may_be_absent = true}, stop);
    if (stored.status == 404) {
      RefuseStored(key, "it is not there");
    }
    if (stored.length != written.size) {
      RefuseStored(key,
                   "it has " +
                       (stored.length ? std::to_string(*stored.length) : "no known number of") +
                       " bytes instead of " + std::to_string(written.size));
    }
    if (stored.etag == etag) {
      return;
    }
    if (ChecksumOf(key, stop) != written.checksum) {
      RefuseStored(key, "its bytes are others");
    }
  }

 private:
  static constexpr int kMaxPages = 100;  // of 1,000 uploads

  void DropUploads(const std::string& prefix,
                   const std::stop_token& stop,
                   const std::function<bool(std::string_view key)>& is_ours) {
    // Each page is of what is left: no marker to go on from.
    for (int page = 0; page < kMaxPages; ++page) {
      const XmlElement list = client_.SendForXml(
          {.method = "GET", .key = {}, .query = {{"uploads", ""}, {"prefix", prefix}}},
          "ListMultipartUploadsResult",
          stop);
      int dropped = 0;
      for (const XmlElement& upload : list.children) {
        if (upload.name == "Upload" && is_ours(upload.TextOf("Key"))) {
          Abort(std::string(upload.TextOf("Key")), std::string(upload.TextOf("UploadId")), stop);
          ++dropped;
        }
      }
      if (list.TextOf("IsTruncated") != "true" || dropped == 0) {
        return;
      }
    }
  }

  [[noreturn]] void RefuseStored(const std::string& key, const std::string& why) {
    throw Error(ErrorCode::kCorrupt, "reading back " + client_.NameOf(key) + ": " + why);
  }

  // SHA-256 of what the store holds, lower-case hex.
  std::string ChecksumOf(const std::string& key, const std::stop_token& stop) {
    for (int attempt = 1;; ++attempt) {
      codec::StreamHash hash(codec::StreamHashKind::kSha256);
      try {
        Read(key, stop, [&hash](ByteView bytes) { hash.Add(bytes); });
        return HexEncode(hash.Take());
      } catch (const Error& error) {
        if (!IsRetryable(error.code()) || attempt >= client_.options().attempts) {
          throw;
        }
        client_.log().Warn("{}", error.message());
      }
      PauseFor(client_.options().first_pause * (1 << std::min(attempt - 1, 6)), stop);
    }
  }

  S3Client client_;
};

S3Upload::~S3Upload() {
  try {
    GiveUpRest();
  } catch (const Error& error) {
    client_.log().Warn("abandoning an upload failed, it may be left behind: {}", error.message());
  }
}

// Also when it is stopped: what is left costs its owner money. But then there is no time to try
// for long, and whoever goes on looks for what was left.
void S3Upload::GiveUpRest() {
  const bool stopped = stop_.stop_requested();
  if (!upload_id_.empty()) {
    bucket_.Abort(key_, upload_id_, {}, stopped);
  }
  if (begun_unknown_ && !stopped) {
    bucket_.DropUploadsOf(key_);
  }
}

Upload::Result S3Upload::Finish() {
  if (upload_id_.empty()) {
    client_.Send({.method = "PUT", .key = key_, .body = buffer_}, stop_);
  } else {
    if (!buffer_.empty()) {
      SendPart();
    }
    CompleteParts();
  }
  const Result result{.size = digest_.size(), .checksum = digest_.TakeChecksum()};
  bucket_.Compare(key_, result, digest_.TakeEtag(), stop_);
  return result;
}

}  // namespace

std::unique_ptr<Bucket> OpenS3Bucket(S3Address address,
                                     S3Options options,
                                     const Clock& clock,
                                     Log& log) {
  return std::make_unique<S3Bucket>(std::move(address), std::move(options), clock, log);
}

}  // namespace tidemark::objectstore
