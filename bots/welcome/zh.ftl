welcome-text = 欢迎 { $names } 加入 { $group }！
