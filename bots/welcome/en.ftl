welcome-text = Welcome to { $group }, { $names }!
