Console.WriteLine("varve");
