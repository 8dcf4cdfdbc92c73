Console.WriteLine("peers");
