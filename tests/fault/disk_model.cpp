#include "tests/fault/disk_model.h"

#include <fstream>

#include "base/error.h"
#include "base/file.h"

namespace tidemark::fault {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = std::size_t{64} << 20;

bool Changes(const FileEvent& event) {
  switch (event.op) {
    case FileOp::kOpen:
      return event.created;
    case FileOp::kWrite:
    case FileOp::kSync:
    case FileOp::kSyncAll:
    case FileOp::kLink:
    case FileOp::kRename:
    case FileOp::kUnlink:
    case FileOp::kMakeFolder:
      return true;
    case FileOp::kRead:
    case FileOp::kStat:
    case FileOp::kList:
      return false;
  }
  return false;
}

void WritePlainly(const fs::path& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << AsText(bytes);
  if (!file) {
    throw Error(ErrorCode::kIo, "leaving a disk behind: cannot write " + path.string());
  }
}

}  // namespace

void FileRecorder::After(const FileEvent& event) {
  if (Changes(event)) {
    const MutexLock lock(mutex_);
    calls_.push_back({event.op,
                      event.path,
                      event.second,
                      Bytes(event.bytes.begin(), event.bytes.end()),
                      event.created});
  }
}

std::vector<RecordedCall> FileRecorder::calls() const {
  const MutexLock lock(mutex_);
  return calls_;
}

std::size_t FileRecorder::size() const {
  const MutexLock lock(mutex_);
  return calls_.size();
}

DiskModel::DiskModel(const fs::path& root) : root_(root.string()) {
  Load(root);
}

void DiskModel::Load(const fs::path& folder) {
  Names& names = folders_[folder.string()];
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    Node node = kFolder;
    if (entry.is_directory()) {
      Load(entry.path());
    } else {
      node = files_.size();
      const Bytes bytes = ReadFile(entry.path(), kMaxFile);
      files_.push_back({bytes, bytes});
    }
    names[entry.path().filename().string()] = {node};
  }
}

std::vector<DiskModel::Node>& DiskModel::NameAt(const std::string& path) {
  const fs::path split(path);
  auto& values = folders_.at(split.parent_path().string())[split.filename().string()];
  if (values.empty()) {
    values.push_back(std::nullopt);
  }
  return values;
}

DiskModel::Node DiskModel::NodeAt(const std::string& path) {
  return NameAt(path).back();
}

void DiskModel::Apply(const RecordedCall& call) {
  switch (call.op) {
    case FileOp::kOpen:
      NameAt(call.path).push_back(files_.size());
      files_.emplace_back();
      break;
    case FileOp::kWrite: {
      Bytes& now = files_.at(NodeAt(call.path).value()).now;
      now.insert(now.end(), call.bytes.begin(), call.bytes.end());
      break;
    }
    case FileOp::kSync:
      Sync(call.path);
      break;
    case FileOp::kSyncAll:
      SyncAll();
      break;
    case FileOp::kLink:
    case FileOp::kRename: {
      const Node node = NodeAt(call.path);
      NameAt(call.second).push_back(node);
      if (call.op == FileOp::kRename) {
        NameAt(call.path).push_back(std::nullopt);
      }
      break;
    }
    case FileOp::kUnlink:
      NameAt(call.path).push_back(std::nullopt);
      break;
    case FileOp::kMakeFolder:
      NameAt(call.path).push_back(kFolder);
      folders_[call.path];
      break;
    case FileOp::kRead:
    case FileOp::kStat:
    case FileOp::kList:
      break;
  }
}

void DiskModel::Sync(const std::string& path) {
  const auto folder = folders_.find(path);
  if (folder == folders_.end()) {
    File& file = files_.at(NodeAt(path).value());
    file.durable = file.now;
    return;
  }
  for (auto& [name, values] : folder->second) {
    values.erase(values.begin(), values.end() - 1);
  }
}

void DiskModel::SyncAll() {
  for (auto& [path, names] : folders_) {
    for (auto& [name, values] : names) {
      values.erase(values.begin(), values.end() - 1);
    }
  }
  for (File& file : files_) {
    file.durable = file.now;
  }
}

Bytes DiskModel::Remains(const File& file, Loss loss, SeededRandom& random) const {
  if (loss != Loss::kRandom || file.now == file.durable) {
    return file.durable;
  }
  Bytes torn = file.now;
  const std::size_t kept = random.Next() % (torn.size() + 1);
  if (random.Next() % 2 == 0) {
    torn.resize(kept);
  } else {  // the length was written, not all blocks
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(kept), torn.end(), std::uint8_t{0});
  }
  return torn;
}

void DiskModel::Leave(const fs::path& target, Loss loss, SeededRandom& random) const {
  fs::remove_all(target);
  fs::create_directories(target);
  LeaveFolder(root_, target, loss, random);
}

void DiskModel::LeaveFolder(const std::string& folder,
                            const fs::path& target,
                            Loss loss,
                            SeededRandom& random) const {
  for (const auto& [name, values] : folders_.at(folder)) {
    std::size_t chosen = 0;
    if (loss == Loss::kContents) {
      chosen = values.size() - 1;
    } else if (loss == Loss::kRandom) {
      chosen = random.Next() % values.size();
    }
    const Node node = values[chosen];
    if (!node) {
      continue;
    }
    if (*node == kFolder) {
      fs::create_directory(target / name);
      LeaveFolder((fs::path(folder) / name).string(), target / name, loss, random);
    } else {
      WritePlainly(target / name, Remains(files_[*node], loss, random));
    }
  }
}

}  // namespace tidemark::fault
