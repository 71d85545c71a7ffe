ÿ"
GK
p()