module go-sockets

go 1.24
