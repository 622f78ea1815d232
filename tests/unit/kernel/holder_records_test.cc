#include "kernel/holder_records.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <span>
#include <vector>

#include "base/handle.h"

namespace tcpmibd::kernel {
namespace {

using tcp::Holder;
using testing::HasSubstr;
using testing::IsEmpty;

// A file that gives its pieces one a read, whatever their size.
FileDescriptor in_pieces(const std::vector<std::span<const std::byte>>& pieces) {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const FileDescriptor writer(ends[1]);
  for (const auto piece : pieces)
    EXPECT_EQ(::write(writer.get(), piece.data(), piece.size()),
              static_cast<ssize_t>(piece.size()));
  return FileDescriptor(ends[0]);
}

FileDescriptor file_of(const std::vector<Holder>& holders) {
  FileDescriptor file(::memfd_create("holders", MFD_CLOEXEC));
  const std::span<const std::byte> bytes = std::as_bytes(std::span(holders));
  EXPECT_EQ(::pwrite(file.get(), bytes.data(), bytes.size(), 0),
            static_cast<ssize_t>(bytes.size()));
  return file;
}

const std::vector<Holder> kThree{{0xffffffff, 1}, {0, 2}, {7, 4'194'304}};

TEST(HolderRecords, AreReadAsTheyCome) {
  EXPECT_EQ(read_holders(file_of(kThree).get(), 3).value(), kThree);
}

TEST(HolderRecords, MayBeCutBetweenReads) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(kThree));
  const FileDescriptor file =
      in_pieces({bytes.first(3), bytes.subspan(3, 13), bytes.subspan(16, 7), bytes.last(1)});
  EXPECT_EQ(read_holders(file.get(), 0).value(), kThree);
}

TEST(HolderRecords, MayBeNone) {
  EXPECT_THAT(read_holders(in_pieces({}).get(), 100).value(), IsEmpty());
}

TEST(HolderRecords, MayBeManyMoreThanExpected) {
  std::vector<Holder> many;
  for (std::uint32_t number = 0; number < 100'000; ++number)
    many.push_back({.inode = number, .pid = ~number});
  EXPECT_EQ(read_holders(file_of(many).get(), 1).value(), many);
}

TEST(HolderRecords, ALastOneThatIsCutIsAnError) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(kThree));
  const auto holders = read_holders(in_pieces({bytes.first(12)}).get(), 3);
  ASSERT_FALSE(holders);
  EXPECT_THAT(holders.error().text(), HasSubstr("is cut"));
}

TEST(HolderRecords, ARefusalIsAnErrorWithItsCause) {
  const FileDescriptor folder(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto holders = read_holders(folder.get(), 3);
  ASSERT_FALSE(holders);
  EXPECT_EQ(holders.error().code, EISDIR);
}

TEST(HolderRecords, WithoutAnInodeAreOfProcessesWithRings) {
  const Holdings holdings = holdings_of({{0, 9}, {7, 1}, {0, 8}, {5, 1}});
  EXPECT_THAT(holdings.holders, testing::UnorderedElementsAre(Holder{7, 1}, Holder{5, 1}));
  EXPECT_THAT(holdings.with_rings, testing::UnorderedElementsAre(8, 9));
  EXPECT_TRUE(holdings.every_table);
}

}  // namespace
}  // namespace tcpmibd::kernel
