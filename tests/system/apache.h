#pragma once

#include <string>

#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// A real server that is well.

namespace tcpmibd::lab {

inline constexpr const char* kApacheAddress = "127.0.0.1:8080";

// An Apache with the settings that Debian gives it.
class Apache {
 public:
  explicit Apache(const Namespace& space)
      : space_(space),
        page_(folder_.write("index.html", "hello\n")),
        child_({"apache2", "-f", folder_.write("httpd.conf", configuration()), "-DFOREGROUND"},
               {.in = &space}) {
    if (!eventually([&] { return answer().starts_with("HTTP/1.1 200 "); }, kGreatPatience))
      throw Trouble("apache2 does not answer: " + child_.err() + read_file(folder_.file("error")));
  }

  // The first line and more, or nothing.
  std::string answer() const try {
    const TcpSocket client = connect_to(space_, kApacheAddress);
    client.send("GET /index.html HTTP/1.0\r\n\r\n");
    return client.receive();
  } catch (const Trouble&) {
    return "";
  }

 private:
  std::string configuration() const {
    const std::string modules = "/usr/lib/apache2/modules/";
    return "ServerRoot " + folder_.path().string() + "\nServerName localhost\nPidFile " +
           folder_.file("pid") + "\nListen " + kApacheAddress + "\nErrorLog " +
           folder_.file("error") + "\nDocumentRoot " + folder_.path().string() +
           "\nLoadModule mpm_event_module " + modules + "mod_mpm_event.so\n" +
           "LoadModule authz_core_module " + modules + "mod_authz_core.so\n" +
           "User www-data\nGroup www-data\n";
  }

  const Namespace& space_;
  TempFolder folder_;
  std::string page_;
  Child child_;
};

}  // namespace tcpmibd::lab
