#embed""
