control_socket_disable = True
