#include "delivery/sftp.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/units.h"
#include "codec/sha1.h"

// Against OpenSSH's own server, on loopback, with a configuration and keys of its own.
namespace tidemark::delivery {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::uint16_t FreePort() {
  const int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  bind(handle, generic, size);
  getsockname(handle, generic, &size);
  close(handle);
  return ntohs(address.sin_port);
}

// Runs a command of the shell to its end; its exit status.
int RunCommand(const std::string& command) {
  return std::system(command.c_str());
}

// The server's process of each connection makes a session of its own: they are found as children.
void Signal(pid_t process, int signal) {
  std::ifstream children("/proc/" + std::to_string(process) + "/task/" + std::to_string(process) +
                         "/children");
  const std::vector<pid_t> found{std::istream_iterator<pid_t>(children), {}};
  for (const pid_t child : found) {
    Signal(child, signal);
  }
  kill(process, signal);
}

class SftpTest : public testing::Test {
 protected:
  static constexpr const char* kServer = "/usr/sbin/sshd";

  void SetUp() override {
    if (!fs::exists(kServer)) {
      GTEST_SKIP() << "openssh-server is not installed";
    }
    if (geteuid() == 0) {
      std::error_code ignored;  // the server wants it to be there when root starts it
      fs::create_directory("/run/sshd", ignored);
    }
    fs::create_directories(directory_ / "in");
    for (const char* key : {"host", "user", "stranger"}) {
      ASSERT_EQ(RunCommand("ssh-keygen -q -t ed25519 -N '' -f " + (directory_ / key).string()), 0);
    }
    fs::copy_file(directory_ / "user.pub", directory_ / "authorized");
    destination_ = {.host = "127.0.0.1",
                    .port = FreePort(),
                    .user = UserName(),
                    .key_file = directory_ / "user",
                    .directory = directory_ / "in",
                    .host_key = Fingerprint("host")};
    StartServer();
  }

  void TearDown() override {
    StopServer();
    fs::remove_all(directory_);
  }

  std::string Fingerprint(const std::string& key) const {
    const std::string out = (directory_ / "fingerprint").string();
    EXPECT_EQ(RunCommand("ssh-keygen -l -f " + (directory_ / key).string() + ".pub > " + out), 0);
    std::ifstream file(out);
    std::string bits;
    std::string fingerprint;
    file >> bits >> fingerprint;
    return fingerprint;
  }

  std::string UserName() const {
    const std::string out = (directory_ / "name").string();
    EXPECT_EQ(RunCommand("id -un > " + out), 0);
    std::string name;
    std::ifstream(out) >> name;
    return name;
  }

  void StartServer() {
    std::ofstream(directory_ / "sshd_config")
        << "ListenAddress 127.0.0.1\nPort " << destination_.port << "\nHostKey "
        << (directory_ / "host").string() << "\nAuthorizedKeysFile "
        << (directory_ / "authorized").string()
        << "\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n"
           "PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n";
    const std::string config = (directory_ / "sshd_config").string();
    const std::string log = (directory_ / "sshd.log").string();
    server_ = fork();
    if (server_ == 0) {
      execl(kServer, kServer, "-D", "-f", config.c_str(), "-E", log.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 200 && !Answers(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
  }

  void StopServer() {
    if (server_ > 0) {
      Signal(server_, SIGCONT);
      Signal(server_, SIGKILL);
      waitpid(server_, nullptr, 0);
      server_ = 0;
    }
  }

  bool Answers() const {
    const int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(destination_.port);
    const bool answers =
        connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    close(handle);
    return answers;
  }

  // `bytes` of a pattern; `on_piece` is told before each piece how many were given.
  static PushSource Pattern(std::uint64_t bytes, std::function<void(std::uint64_t)> on_piece = {}) {
    return [bytes, on_piece, given = std::uint64_t{0}](std::span<std::uint8_t> to) mutable {
      if (on_piece) {
        on_piece(given);
      }
      const std::size_t size = std::min<std::uint64_t>(to.size(), bytes - given);
      for (std::size_t i = 0; i < size; ++i) {
        to[i] = static_cast<std::uint8_t>((given + i) * 7919 >> 3);
      }
      given += size;
      return size;
    };
  }

  static std::string Sha1OfPattern(std::uint64_t bytes) {
    codec::Sha1Hash hash;
    std::vector<std::uint8_t> piece(10000);
    const PushSource source = Pattern(bytes);
    for (std::size_t size = source(piece); size > 0; size = source(piece)) {
      hash.Add(ByteView(piece.data(), size));
    }
    return hash.TakeHex();
  }

  PushedFile Push(std::uint64_t bytes, std::function<void(std::uint64_t)> on_piece = {}) {
    return PushFile(destination_, "a.tar.gz", Pattern(bytes, std::move(on_piece)), run_);
  }

  Error FailureOf(std::uint64_t bytes, std::function<void(std::uint64_t)> on_piece = {}) {
    try {
      Push(bytes, std::move(on_piece));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorCode::kInternal, "nothing");
  }

  fs::path In(const std::string& name) const { return directory_ / "in" / name; }

  SystemRandom random_;
  const fs::path directory_ = fs::temp_directory_path() / ("sftp_test-" + RandomHex(random_, 8));
  SftpDestination destination_;
  PushRun run_;
  pid_t server_ = 0;
};

TEST_F(SftpTest, AFileArrivesWholeAndUnderItsName) {
  const std::uint64_t bytes = MiB(3).value + 17;
  std::uint64_t reported = 0;
  run_.report = [&](std::uint64_t sent) { reported = sent; };
  const PushedFile pushed = Push(bytes);
  EXPECT_EQ(pushed.size, bytes);
  EXPECT_EQ(pushed.sha1, Sha1OfPattern(bytes));
  EXPECT_EQ(reported, bytes);
  EXPECT_EQ(fs::file_size(In("a.tar.gz")), bytes);
  EXPECT_FALSE(fs::exists(In("a.tar.gz.part")));
  EXPECT_EQ(fs::status(In("a.tar.gz")).permissions(), fs::perms(0600));
}

TEST_F(SftpTest, AnotherTryReplacesWhatIsThere) {
  std::ofstream(In("a.tar.gz")) << "old";
  std::ofstream(In("a.tar.gz.part")) << std::string(100'000, 'x');
  Push(1000);
  EXPECT_EQ(fs::file_size(In("a.tar.gz")), 1000U);
  EXPECT_FALSE(fs::exists(In("a.tar.gz.part")));
}

TEST_F(SftpTest, AnEmptyFileIsAFile) {
  EXPECT_EQ(Push(0).sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(fs::file_size(In("a.tar.gz")), 0U);
}

TEST_F(SftpTest, AnotherHostKeyIsRefusedBeforeAnythingIsSent) {
  destination_.host_key = Fingerprint("stranger");
  const Error error = FailureOf(1000, [](std::uint64_t) { ADD_FAILURE() << "it was read"; });
  EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied);
  EXPECT_THAT(std::string(error.message()),
              HasSubstr("its host key is " + Fingerprint("host") + ", not the one that is set"));
  EXPECT_TRUE(fs::is_empty(directory_ / "in"));
}

TEST_F(SftpTest, AStrangersKeyIsNotLetIn) {
  destination_.key_file = directory_ / "stranger";
  const Error error = FailureOf(1000);
  EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied);
  EXPECT_THAT(std::string(error.message()), HasSubstr("is not let in with this key"));
}

TEST_F(SftpTest, AKeyThatIsNotThereIsToldOf) {
  destination_.key_file = directory_ / "none";
  EXPECT_THAT(std::string(FailureOf(1000).message()), HasSubstr("the private key cannot be read"));
}

TEST_F(SftpTest, ADirectoryThatIsNotThereIsToldOf) {
  destination_.directory = directory_ / "none";
  EXPECT_EQ(FailureOf(1000).code(), ErrorCode::kNotFound);
}

TEST_F(SftpTest, AFullDiskFailsAndLeavesNoFileOfThatName) {
  fs::create_symlink("/dev/full", In("a.tar.gz.part"));
  const Error error = FailureOf(MiB(1).value);
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_THAT(std::string(error.hint()), HasSubstr("disk full"));
  EXPECT_FALSE(fs::exists(In("a.tar.gz")));
}

TEST_F(SftpTest, ACutFailsAndTheNextTryWritesItAnew) {
  const std::uint64_t bytes = MiB(4).value;
  const Error error = FailureOf(bytes, [&](std::uint64_t given) {
    if (given > MiB(1).value) {
      StopServer();
    }
  });
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << error.message();
  EXPECT_FALSE(fs::exists(In("a.tar.gz")));
  EXPECT_TRUE(fs::exists(In("a.tar.gz.part")));
  StartServer();
  EXPECT_EQ(Push(bytes).sha1, Sha1OfPattern(bytes));
  EXPECT_EQ(fs::file_size(In("a.tar.gz")), bytes);
  EXPECT_FALSE(fs::exists(In("a.tar.gz.part")));
}

TEST_F(SftpTest, ASilentServerIsGivenUp) {
  run_.quiet_timeout = std::chrono::milliseconds{700};
  const Error error = FailureOf(MiB(64).value, [&](std::uint64_t given) {
    if (given > MiB(1).value) {
      Signal(server_, SIGSTOP);
    }
  });
  EXPECT_EQ(error.code(), ErrorCode::kTimeout);
}

TEST_F(SftpTest, AStopEndsItSoon) {
  std::stop_source stop;
  run_.stop = stop.get_token();
  const Error error = FailureOf(MiB(64).value, [&](std::uint64_t given) {
    if (given > MiB(1).value) {
      stop.request_stop();
    }
  });
  EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  EXPECT_FALSE(fs::exists(In("a.tar.gz")));
}

TEST(SftpDestination, WhatIsMissingIsSaid) {
  EXPECT_THAT(DestinationProblem({}), HasSubstr("needed together"));
  SftpDestination destination{.host = "h", .user = "u", .key_file = "k", .directory = "d"};
  EXPECT_THAT(DestinationProblem(destination), HasSubstr("SHA256:"));
  destination.host_key = "SHA256:" + std::string(43, 'A');
  EXPECT_EQ(DestinationProblem(destination), "");
}

TEST(SftpUnreachable, IsWorthAnotherTry) {
  SftpDestination destination{.host = "127.0.0.1", .port = FreePort(), .user = "u"};
  try {
    PushFile(destination, "a", [](std::span<std::uint8_t>) { return std::size_t{0}; }, {});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  }
}

}  // namespace
}  // namespace tidemark::delivery
